// Short notices in a corner: what became of something that was asked for.
import { CheckCircle2, CircleAlert, Info, X } from 'lucide-react';
import { useSyncExternalStore, type ReactNode } from 'react';
import { tUi } from './text';

type Kind = 'good' | 'bad' | 'info';
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

/** Show a notice; gives the function that changes it in its place. Faults stay until they are closed. */
export function toast(kind: Kind, title: string, detail?: ReactNode) {
  const id = next++;
  const put = (toKind: Kind, toTitle: string, toDetail?: ReactNode) => {
    const notice = { id, kind: toKind, title: toTitle, detail: toDetail };
    change([...notices.filter((each) => each.id !== id), notice].slice(-4));
    if (toKind !== 'bad') setTimeout(() => leave(notice), toKind === 'good' ? 5000 : 20_000);
  };
  put(kind, title, detail);
  return put;
}

function leave(notice: Notice): void {
  change(notices.filter((each) => each !== notice));
}

const ICONS = { good: CheckCircle2, bad: CircleAlert, info: Info };
const COLOURS = { good: 'text-good', bad: 'text-danger', info: 'text-accent' };

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
            <button
              type="button"
              aria-label={tUi('close')}
              onClick={() => leave(notice)}
              className="-mr-1 inline-flex size-6 shrink-0 items-center justify-center rounded text-muted hover:bg-hover"
            >
              <X aria-hidden size={14} />
            </button>
          </div>
        );
      })}
    </div>
  );
}
