// Asks a station something by a command and waits for what it says.
import { api, data, Problem } from '@/api/client';
import { loadTold, told } from '@/api/told';

const PATIENCE_MS = 65_000;
const SETTLED = ['done', 'rejected', 'failed', 'timed_out', 'expired', 'cancelled', 'unknown'];

/** Give a command to one station and give its result. Throws when the station refuses, is away or stays silent. */
export async function ask(
  stationId: string,
  command: Record<string, unknown> & { command: string },
): Promise<Record<string, unknown>> {
  const given = await data(
    api.POST('/api/v1/stations/{station_id}/commands', {
      params: { path: { station_id: stationId } },
      body: command as never,
    }),
  );
  return answerTo(given.task_id);
}

/** Wait for the result of a task for one station. Throws like `ask`. */
export async function answerTo(taskId: string): Promise<Record<string, unknown>> {
  const end = Date.now() + PATIENCE_MS;
  let pause = 250;
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2000, pause * 1.4);
    const task = await data(
      api.GET('/api/v1/tasks/{task_id}', { params: { path: { task_id: taskId } } }),
    );
    const result = task.results.items[0];
    if (result && SETTLED.includes(result.state)) {
      if (result.state === 'done') return result.result;
      await loadTold();
      const why = told(result.reason, result.detail);
      throw new Problem(0, result.outcome || result.state, result.state, why, []);
    }
  }
  throw new Problem(0, 'timed_out', 'timed_out', '', []);
}
