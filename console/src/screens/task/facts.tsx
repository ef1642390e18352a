import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Schemas } from '@/api/client';
import { label } from '@/commands/names';
import { moment, number } from '@/i18n/quantity';
import { Progress, type Task } from '@/screens/tasks/parts';
import { t } from '@/screens/tasks/text';
import { Panel } from '@/ui/page';

type Wave = Schemas['Wave'];

/** How far it has come, what was given, and on which terms. */
export function TaskFacts({ task }: { task: Task }) {
  const parameters = Object.entries(task.parameters).filter(
    ([name, value]) =>
      name !== 'command' && value !== null && !(Array.isArray(value) && value.length === 0),
  );
  const terms: ReactNode[] = [];
  if (task.total > 1) terms.push(t('concurrency', { count: task.concurrency }));
  if (task.stop_when_failed_percent !== null)
    terms.push(t('stop_rule', { percent: number(task.stop_when_failed_percent) }));
  if (task.window)
    terms.push(t('window', { from: String(task.window['from']), to: String(task.window['to']) }));
  if (task.only_idle) terms.push(t('only_idle'));
  if (task.retry_of)
    terms.push(
      <Link
        to="/tasks/$taskId"
        params={{ taskId: task.retry_of }}
        className="text-accent hover:underline"
      >
        {t('retry_of')}
      </Link>,
    );
  return (
    <Panel className="pt-4">
      <Progress counts={task} tall />
      <p className="mt-1.5 text-xs text-muted tabular">
        {t('progress.long', {
          succeeded: task.succeeded,
          failed: task.failed + task.cancelled,
          open: task.total - task.succeeded - task.failed - task.cancelled,
          total: task.total,
        })}
      </p>
      {(parameters.length > 0 || terms.length > 0) && (
        <dl className="mt-3 flex flex-wrap gap-x-8 gap-y-2 border-t border-line pt-3">
          {parameters.map(([name, value]) => (
            <div key={name} className="min-w-0 max-w-full">
              <dt className="text-xs text-muted">{label(name)}</dt>
              <dd className="max-h-32 overflow-auto font-mono text-xs break-all">
                {typeof value === 'object' ? JSON.stringify(value) : (value as string)}
              </dd>
            </div>
          ))}
          {terms.length > 0 && (
            <div>
              <dt className="text-xs text-muted">{t('given')}</dt>
              <dd className="flex flex-wrap gap-x-4">
                {terms.map((term, index) => (
                  <span key={index}>{term}</span>
                ))}
              </dd>
            </div>
          )}
        </dl>
      )}
    </Panel>
  );
}

/** The waves of a campaign, one after the other. */
export function TaskWaves({ waves, nextAt }: { waves: Wave[]; nextAt: string | null }) {
  return (
    <Panel title={t('waves')} note={nextAt ? t('wave.next', { at: moment(nextAt) }) : undefined}>
      <ol className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
        {waves.map((wave) => (
          <li key={wave.number} className="rounded-lg border border-line px-3 py-2.5">
            <p className="flex items-baseline justify-between gap-2">
              <span className="font-medium">{t('wave', { number: wave.number })}</span>
              <span className="text-xs text-muted">
                {t(wave.passed_at ? 'wave.passed' : wave.opened_at ? 'wave.runs' : 'wave.waits')}
              </span>
            </p>
            <div className="my-2">
              <Progress counts={wave} />
            </div>
            <p className="flex justify-between gap-2 text-xs text-muted tabular">
              <span>
                {t('progress', { done: wave.succeeded + wave.failed, total: wave.total })}
              </span>
              <span>{t('wave.goal', { percent: number(wave.success_percent) })}</span>
            </p>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
