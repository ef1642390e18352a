import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { classes } from './classes';

export interface Tab {
  id: string;
  label: string;
  count?: number | undefined;
}

/** Tabs that are places: each has an address (`?tab=`), so that it can be sent to somebody. */
export function TabLinks({
  tabs,
  selected,
  label,
  actions,
}: {
  tabs: Tab[];
  selected: string;
  label: string;
  actions?: ReactNode;
}) {
  // On a phone the tab that is shown may be beyond the edge.
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    const current = place.current?.querySelector<HTMLElement>('[aria-current]');
    if (place.current && current) {
      const middle = current.offsetLeft - place.current.offsetLeft + current.offsetWidth / 2;
      place.current.scrollLeft = middle - place.current.clientWidth / 2;
    }
  }, [selected]);
  return (
    <div className="flex items-center gap-3 border-b border-line px-2">
      <nav ref={place} aria-label={label} className="-mb-px flex min-w-0 flex-1 overflow-x-auto">
        {tabs.map((tab) => (
          <Link
            key={tab.id}
            to="."
            search={(before: Record<string, unknown>) => ({
              ...before,
              // What was looked for in one tab says nothing in another.
              q: undefined,
              tab: tab.id === tabs[0]?.id ? undefined : tab.id,
            })}
            // Without a tab in the address only the first one is where we are.
            activeOptions={{ explicitUndefined: true }}
            replace
            resetScroll={false}
            aria-current={tab.id === selected ? 'page' : undefined}
            className={classes(
              'inline-flex h-10 items-center gap-1.5 border-b-2 px-2.5 whitespace-nowrap focus-visible:-outline-offset-2',
              tab.id === selected
                ? 'border-accent font-medium text-text'
                : 'border-transparent text-muted hover:text-text',
            )}
          >
            <span data-label={tab.label} className="steady">
              {tab.label}
            </span>
            {tab.count !== undefined && (
              <span className="text-xs text-muted tabular">{tab.count}</span>
            )}
          </Link>
        ))}
      </nav>
      {actions != null && <div className="flex items-center gap-2 pr-2">{actions}</div>}
    </div>
  );
}
