import { statusOf, type Status } from '@/live/status';
import { classes } from './classes';
import { tUi } from './text';

const COLOUR: Record<Status, string> = {
  available: 'var(--status-available)',
  charging: 'var(--status-charging)',
  occupied: 'var(--status-occupied)',
  reserved: 'var(--status-reserved)',
  unavailable: 'var(--status-unavailable)',
  faulted: 'var(--status-faulted)',
  offline: 'var(--status-offline)',
};

export function statusColour(status: Status): string {
  return COLOUR[status];
}

/** The shape of a status, in its colour. The word stands beside it. */
export function StatusIcon({ status, size = 14 }: { status: Status; size?: number }) {
  return (
    <svg
      aria-hidden
      width={size}
      height={size}
      viewBox="0 0 16 16"
      className="shrink-0"
      style={{ color: COLOUR[status] }}
    >
      {SHAPES[status]}
    </svg>
  );
}

const SHAPES: Record<Status, React.ReactNode> = {
  available: <circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" strokeWidth="2.6" />,
  charging: <path d="M9.6 1 3 9.2h4.1L6.3 15 13 6.6H8.9z" fill="currentColor" />,
  occupied: (
    <>
      <circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" strokeWidth="1.8" />
      <path d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" />
    </>
  ),
  reserved: (
    <>
      <circle cx="8" cy="8" r="5.8" fill="none" stroke="currentColor" strokeWidth="1.9" />
      <path
        d="M8 4.6V8l2.4 1.6"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.9"
        strokeLinecap="round"
      />
    </>
  ),
  unavailable: <rect x="2" y="6.4" width="12" height="3.2" rx="1.2" fill="currentColor" />,
  faulted: <path d="M8 1.8 14.8 14H1.2z" fill="currentColor" />,
  offline: (
    <path
      d="m3.6 3.6 8.8 8.8m0-8.8-8.8 8.8"
      stroke="currentColor"
      strokeWidth="2.2"
      strokeLinecap="round"
    />
  ),
};

/** Say a status: shape, colour and word. `word` may be any of OCPP's; the finer one is shown where it differs. */
export function StatusBadge({
  word,
  fine = false,
  className,
}: {
  word: string;
  fine?: boolean;
  className?: string;
}) {
  const status = statusOf(word);
  return (
    <span
      className={classes(
        'inline-flex items-center gap-1.5 align-middle whitespace-nowrap',
        className,
      )}
    >
      <StatusIcon status={status} />
      <span>{fine ? statusWord(word) : tUi(`status.${status}`)}</span>
    </span>
  );
}

const FINE = ['preparing', 'suspended_ev', 'suspended_evse', 'finishing', 'unknown'] as const;

/** The word for a status as the station reported it. */
export function statusWord(word: string): string {
  const fine = FINE.find((each) => each === word);
  return tUi(fine ? `status.${fine}` : `status.${statusOf(word)}`);
}
