import { classes } from './classes';

/** One of a few, side by side. */
export function Segments<Choice extends string>({
  label,
  choices,
  value,
  onValue,
}: {
  label: string;
  choices: readonly { id: Choice | undefined; label: string }[];
  value: Choice | undefined;
  onValue: (choice: Choice | undefined) => void;
}) {
  return (
    <div
      role="group"
      aria-label={label}
      className="flex max-w-full overflow-x-auto rounded-md border border-line p-0.5"
    >
      {choices.map((choice) => (
        <button
          key={choice.id ?? ''}
          type="button"
          aria-pressed={value === choice.id}
          onClick={() => onValue(choice.id)}
          className={classes(
            'h-[26px] rounded px-2.5 whitespace-nowrap',
            value === choice.id ? 'bg-hover font-medium' : 'text-muted hover:text-text',
          )}
        >
          <span data-label={choice.label} className="steady">
            {choice.label}
          </span>
        </button>
      ))}
    </div>
  );
}
