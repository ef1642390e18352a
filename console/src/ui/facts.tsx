import type { ReactNode } from 'react';

/** Names and values in lines; what is empty is left out. */
export function Facts({ lines }: { lines: [label: string, value: ReactNode][] }) {
  return (
    <dl className="flex flex-col">
      {lines
        .filter(([, value]) => value != null && value !== '' && value !== false)
        .map(([label, value]) => (
          <div
            key={label}
            className="flex justify-between gap-4 border-b border-line py-1.5 last:border-0"
          >
            <dt className="shrink-0 text-muted">{label}</dt>
            <dd className="min-w-0 text-right break-words">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Words in small frames: tags, rights, kinds of events. */
export function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <span className="inline-flex flex-wrap gap-1 align-middle">
      {tags.map((tag) => (
        <span
          key={tag}
          className="inline-flex h-5 items-center rounded border border-line bg-sunken px-1.5 text-xs whitespace-nowrap text-muted"
        >
          {tag}
        </span>
      ))}
    </span>
  );
}
