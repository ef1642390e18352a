// Gives a command to stations and follows its task to the end, telling in a notice what became of it.
import { api, data, Problem, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { loadTold, told } from '@/api/told';
import { toast } from '@/ui/toast';
import { t } from './text';

/** A command as POST /api/v1/commands takes it: its name, and its own parameters. */
export type Command = { command: string } & Record<string, unknown>;

type Task = Schemas['TaskWithResults'];

const FOLLOWED_MS = 60_000;

/** Give a command; `act` is what the button said. Gives true when every station has done it. */
export async function giveCommand(
  act: string,
  command: Command,
  stations: string[],
): Promise<boolean> {
  const tell = toast('info', t('sent', { act }), waiting(stations, 0));
  try {
    const first = stations[0];
    const given =
      stations.length === 1 && first !== undefined
        ? await data(
            api.POST('/api/v1/stations/{station_id}/commands', {
              params: { path: { station_id: first } },
              body: command as never,
            }),
          )
        : await data(api.POST('/api/v1/commands', { body: { ...command, stations } as never }));
    const task = await follow(given.task_id, (now) => {
      const queued = now.results.items.every((each) => each.state === 'queued') && now.total === 1;
      tell(
        'info',
        t('sent', { act }),
        queued ? t('queued') : waiting(stations, now.succeeded + now.failed + now.cancelled),
      );
    });
    void queries.invalidateQueries({ queryKey: ['tasks'] });
    if (!task) {
      tell('info', t('slow', { act }), t('slow.hint'));
      return false;
    }
    return await tellEnd(tell, act, task);
  } catch (fault) {
    const detail = fault instanceof Problem ? fault.message : String(fault);
    tell('bad', t('failed', { act }), detail);
    return false;
  }
}

function waiting(stations: string[], done: number): string {
  return stations.length === 1
    ? t('waiting', { station: stations[0] ?? '' })
    : t('waiting.many', { done, total: stations.length });
}

async function follow(taskId: string, tell: (task: Task) => void): Promise<Task | null> {
  const end = Date.now() + FOLLOWED_MS;
  let pause = 250;
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2000, pause * 1.4);
    const task = await data(
      api.GET('/api/v1/tasks/{task_id}', { params: { path: { task_id: taskId } } }),
    );
    // An accepted command is done for the person who gave it; what follows from it comes with the live picture.
    const open = task.results.items.filter(
      (each) => each.state === 'queued' || each.state === 'sent',
    );
    if (task.finished_at !== null || (task.total === 1 && open.length === 0)) return task;
    tell(task);
  }
  return null;
}

const BAD = ['rejected', 'failed', 'timed_out', 'expired', 'cancelled', 'unknown'] as const;

async function tellEnd(tell: ReturnType<typeof toast>, act: string, task: Task): Promise<boolean> {
  const failed = task.failed + task.cancelled;
  if (failed === 0) {
    tell(
      'good',
      task.total === 1 ? t('done', { act }) : t('done.many', { act, count: task.succeeded }),
    );
    return true;
  }
  const first = task.results.items.find((each) => BAD.some((state) => state === each.state));
  const state = BAD.find((each) => each === first?.state);
  await loadTold();
  const why = first ? told(first.reason, first.detail) : '';
  const detail = [state ? t(`state.${state}`) : '', why].filter(Boolean).join(' ');
  tell(
    'bad',
    task.total === 1 ? t('failed', { act }) : t('failed.many', { act, failed, total: task.total }),
    detail,
  );
  return false;
}
