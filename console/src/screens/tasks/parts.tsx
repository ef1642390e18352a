// What the list of tasks and a single task both show.
import {
  Ban,
  CheckCircle2,
  CircleAlert,
  CircleDashed,
  CircleDot,
  CirclePause,
  CircleX,
  Clock,
  HelpCircle,
  Loader,
  type LucideIcon,
} from 'lucide-react';
import type { Schemas } from '@/api/client';
import { classes } from '@/ui/classes';
import { t } from './text';

export type Task = Schemas['Task'];
export type Result = Schemas['CommandResult'];

const MARKS: Record<Task['state'], [LucideIcon, string]> = {
  running: [Loader, 'text-accent'],
  paused: [CirclePause, 'text-warning'],
  done: [CheckCircle2, 'text-good'],
  cancelled: [Ban, 'text-muted'],
};

/** A task that has ended is done only where its stations did it. */
function ending(task: Pick<Task, 'state' | 'failed' | 'total'>): 'partly' | 'failed' | null {
  if (task.state !== 'done' || task.failed === 0) return null;
  return task.failed < task.total ? 'partly' : 'failed';
}

export function TaskMark({ task }: { task: Pick<Task, 'state' | 'failed' | 'total'> }) {
  const ended = ending(task);
  const [Icon, colour] =
    ended === 'failed'
      ? [CircleX, 'text-danger']
      : ended === 'partly'
        ? [CircleAlert, 'text-warning']
        : MARKS[task.state];
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Icon aria-hidden size={14} className={colour} />
      {t(`state.${ended ?? task.state}`)}
    </span>
  );
}

const RESULTS: Record<Result['state'], [LucideIcon, string]> = {
  queued: [Clock, 'text-muted'],
  sent: [Loader, 'text-accent'],
  accepted: [CircleDot, 'text-accent'],
  done: [CheckCircle2, 'text-good'],
  rejected: [CircleX, 'text-danger'],
  failed: [CircleX, 'text-danger'],
  timed_out: [HelpCircle, 'text-warning'],
  unknown: [HelpCircle, 'text-warning'],
  expired: [CircleDashed, 'text-muted'],
  cancelled: [Ban, 'text-muted'],
};

export function ResultMark({ state }: { state: Result['state'] }) {
  const [Icon, colour] = RESULTS[state];
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Icon aria-hidden size={14} className={colour} />
      {t(`r.${state}`)}
    </span>
  );
}

interface Counts {
  total: number;
  succeeded: number;
  failed: number;
  cancelled?: number;
}

/** How far a task has come: done, not done, given up, and what is left. */
export function Progress({ counts, tall = false }: { counts: Counts; tall?: boolean }) {
  const { total, succeeded, failed, cancelled = 0 } = counts;
  const open = Math.max(0, total - succeeded - failed - cancelled);
  const share = (count: number) => ({ width: `${total > 0 ? (100 * count) / total : 0}%` });
  return (
    <span
      role="img"
      aria-label={t('progress.long', { succeeded, failed: failed + cancelled, open, total })}
      className={classes(
        'flex w-full overflow-hidden rounded-full bg-line',
        tall ? 'h-2.5' : 'h-1.5',
      )}
    >
      <span className="bg-[var(--status-available)] transition-[width]" style={share(succeeded)} />
      <span className="bg-[var(--status-faulted)] transition-[width]" style={share(failed)} />
      <span className="bg-[var(--faint)] transition-[width]" style={share(cancelled)} />
    </span>
  );
}
