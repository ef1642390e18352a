// Short notices in a corner: what became of something that was asked for.
import { CheckCircle2, CircleAlert, Info, Loader2, TriangleAlert, X } from 'lucide-react';
import { useSyncExternalStore, type ReactNode } from 'react';
import { tUi } from './text';

type Kind = 'good' | 'bad' | 'info' | 'warning' | 'busy';
export interface Notice {
  id: number;
  kind: Kind;
  title: string;
  detail?: ReactNode;
}

let notices: Notice[] = [];
let next = 1;
const listeners = new Set<() => void>();

function change(to: Notice[]): void {
  notices = to;
  listeners.forEach((tell) => tell());
}

/** How long a notice stays; the others stay until they are closed. */
const STAYS_MS: Partial<Record<Kind, number>> = { good: 5000, info: 20_000 };

/**
 * Show a notice; gives the function that changes it in its place, with `close`. Faults and warnings stay until they are
 * closed, and what is `busy` until it is changed.
 */
export function toast(kind: Kind, title: string, detail?: ReactNode) {
  const id = next++;
  const put = (toKind: Kind, toTitle: string, toDetail?: ReactNode) => {
    const notice = { id, kind: toKind, title: toTitle, detail: toDetail };
    const isShown = notices.some((each) => each.id === id);
    change(
      isShown
        ? notices.map((each) => (each.id === id ? notice : each))
        : [...notices, notice].slice(-4),
    );
    const stays = STAYS_MS[toKind];
    if (stays !== undefined) setTimeout(() => leave(notice), stays);
  };
  put(kind, title, detail);
  return Object.assign(put, {
    close: () => change(notices.filter((each) => each.id !== id)),
  });
}

function leave(notice: Notice): void {
  change(notices.filter((each) => each !== notice));
}

const ICONS = {
  good: CheckCircle2,
  bad: CircleAlert,
  info: Info,
  warning: TriangleAlert,
  busy: Loader2,
};
const COLOURS = {
  good: 'text-good',
  bad: 'text-danger',
  info: 'text-accent',
  warning: 'text-warning',
  busy: 'animate-spin text-accent',
};

export function Toasts() {
  const shown = useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => notices,
  );
  return (
    <div
      role="status"
      aria-live="polite"
      className="no-print pointer-events-none fixed right-4 bottom-4 z-[60] flex w-80 max-w-[calc(100vw-32px)] flex-col gap-2 max-sm:bottom-20"
    >
      {shown.map((notice) => {
        const Icon = ICONS[notice.kind];
        return (
          <div
            key={notice.id}
            className="appear pointer-events-auto flex items-start gap-2.5 rounded-lg border border-line bg-raised px-3 py-2.5 shadow-overlay"
          >
            <Icon aria-hidden size={17} className={`mt-0.5 shrink-0 ${COLOURS[notice.kind]}`} />
            <div className="min-w-0 flex-1">
              <p className="font-medium">{notice.title}</p>
              {notice.detail != null && (
                <div className="break-words text-muted">{notice.detail}</div>
              )}
            </div>
            {notice.kind !== 'busy' && (
              <button
                type="button"
                aria-label={tUi('close')}
                onClick={() => leave(notice)}
                className="-mr-1 inline-flex size-6 shrink-0 items-center justify-center rounded text-muted hover:bg-hover"
              >
                <X aria-hidden size={14} />
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}
