// How many of each status: a bar in parts, and a legend with counts.
import { Link } from '@tanstack/react-router';
import { number } from '@/i18n/quantity';
import { STATUSES, type Status } from '@/live/status';
import { statusColour, StatusIcon } from './status';
import { tUi } from './text';

export type Counts = Partial<Record<Status, number>>;

/** One bar, a part per status; its text is in the legend or in a label beside it. */
export function StatusBar({ counts, height = 8 }: { counts: Counts; height?: number }) {
  const total = STATUSES.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
  return (
    <div
      aria-hidden
      className="flex w-full gap-px overflow-hidden rounded-full bg-line"
      style={{ height }}
    >
      {STATUSES.map((status) => {
        const count = counts[status] ?? 0;
        return count === 0 ? null : (
          <div
            key={status}
            style={{
              width: `${(100 * count) / total}%`,
              minWidth: 3,
              backgroundColor: statusColour(status),
            }}
          />
        );
      })}
    </div>
  );
}

/** Counts with shape and word; each leads to its stations. */
export function StatusLegend({ counts }: { counts: Counts }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1">
      {STATUSES.filter((status) => counts[status]).map((status) => (
        <li key={status}>
          <Link
            to="/stations"
            search={{ status: [status] }}
            className="inline-flex h-6 items-center gap-1.5 rounded hover:underline"
          >
            <StatusIcon status={status} size={12} />
            <span className="text-muted">{tUi(`status.${status}`)}</span>
            <span className="font-medium tabular">{number(counts[status] ?? 0)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
