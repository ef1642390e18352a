import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Ban, Pause, Play, RotateCcw } from 'lucide-react';
import { api, data, Problem } from '@/api/client';
import { useMay } from '@/api/me';
import { commandName } from '@/commands/names';
import { number } from '@/i18n/quantity';
import { TaskMark, type Task } from '@/screens/tasks/parts';
import { t } from '@/screens/tasks/text';
import { Button } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { KpiStrip } from '@/ui/kpi';
import { Ago } from '@/ui/live';
import { PAGE_ROWS } from '@/ui/gather';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { TaskFacts, TaskWaves } from './facts';
import { Results } from './results';
import { taskRoute, type TaskSearch } from './route';

type Act = 'pause' | 'resume' | 'cancel' | 'retry';

function askTask(
  taskId: string,
  state: TaskSearch['state'],
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return data(
    api.GET('/api/v1/tasks/{task_id}', {
      params: {
        path: { task_id: taskId },
        query: { state: state ?? '', limit, ...(cursor ? { cursor } : {}) },
      },
      signal,
    }),
  );
}

export function TaskScreen() {
  const { taskId } = taskRoute.useParams();
  const { state } = taskRoute.useSearch();
  const task = useInfiniteQuery({
    queryKey: ['tasks', taskId, state ?? ''],
    queryFn: ({ pageParam, signal }) => askTask(taskId, state, 200, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.results.next ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: (query) => (query.state.data?.pages[0]?.finished_at ? false : 1500),
  });
  const back = { to: '/tasks', label: t('back') };
  const found = task.data?.pages[0];
  if (!found) {
    const isMissing =
      task.error instanceof Problem && (task.error.status === 404 || task.error.status === 422);
    return (
      <>
        <PageHeader title={t('title')} back={back} />
        <PageBody>
          <div className="panel">
            {isMissing ? (
              <EmptyState title={t('missing')} />
            ) : task.isError ? (
              <ErrorState error={task.error} onRetry={() => void task.refetch()} />
            ) : (
              <LoadingRows />
            )}
          </div>
        </PageBody>
      </>
    );
  }
  const open = found.total - found.succeeded - found.failed - found.cancelled;
  return (
    <>
      <PageHeader title={commandName(found.command)} back={back} titleBelow />
      <PageBody>
        <Head task={found} open={open} />
        <KpiStrip
          label={t('kpi')}
          figures={[
            { label: t('kpi.total'), value: number(found.total) },
            { label: t('kpi.done'), value: number(found.succeeded) },
            { label: t('kpi.failed'), value: number(found.failed), alarming: found.failed > 0 },
            { label: t('kpi.open'), value: number(open) },
            { label: t('kpi.cancelled'), value: number(found.cancelled) },
          ]}
        />
        <TaskFacts task={found} />
        {found.waves.length > 0 && <TaskWaves waves={found.waves} nextAt={found.next_wave_at} />}
        <Results
          rows={task.data?.pages.flatMap((page) => page.results.items) ?? []}
          hasWaves={found.waves.length > 0}
          name={found.command}
          ask={async (cursor, signal) =>
            (await askTask(taskId, state, PAGE_ROWS, cursor, signal)).results
          }
          onEnd={() => {
            if (task.hasNextPage && !task.isFetchingNextPage) void task.fetchNextPage();
          }}
        />
      </PageBody>
    </>
  );
}

function Head({ task, open }: { task: Task; open: number }) {
  const may = useMay('call_stations');
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Act | null>(null);
  const [busy, setBusy] = useState(false);
  const again = task.total - task.succeeded;
  const act = async (wanted: Act) => {
    setBusy(true);
    try {
      const path = { params: { path: { task_id: task.id } } };
      if (wanted === 'retry') {
        const made = await data(api.POST('/api/v1/tasks/{task_id}/retry', path));
        void navigate({ to: '/tasks/$taskId', params: { taskId: made.task_id } });
      } else if (wanted === 'pause') await api.POST('/api/v1/tasks/{task_id}/pause', path);
      else if (wanted === 'resume') await api.POST('/api/v1/tasks/{task_id}/resume', path);
      else await api.POST('/api/v1/tasks/{task_id}/cancel', path);
      await queries.invalidateQueries({ queryKey: ['tasks'] });
    } catch (fault) {
      toast('bad', t('refused'), fault instanceof Error ? fault.message : String(fault));
    } finally {
      setBusy(false);
      setAsked(null);
    }
  };
  const isOpen = task.state === 'running' || task.state === 'paused';
  return (
    <div className="flex flex-wrap items-end justify-between gap-3">
      <div className="min-w-0">
        <h1 className="text-xl wrap-anywhere">{commandName(task.command)}</h1>
        <p className="flex flex-wrap gap-x-4 text-muted">
          <span className="text-text">
            <TaskMark task={task} />
          </span>
          <span>{t('by', { who: task.created_by })}</span>
          <Ago at={task.created_at} />
          {task.note && <span>{task.note}</span>}
        </p>
        {task.state === 'paused' && task.pause_reason && (
          <p className="mt-1 text-warning">{t('paused.why', { why: task.pause_reason })}</p>
        )}
      </div>
      {may && (
        <div className="no-print flex flex-wrap gap-2">
          {task.state === 'running' && (
            <Button icon={Pause} busy={busy} onClick={() => void act('pause')}>
              {t('pause')}
            </Button>
          )}
          {task.state === 'paused' && (
            <Button icon={Play} look="primary" onClick={() => setAsked('resume')}>
              {t('resume')}
            </Button>
          )}
          {isOpen && open > 0 && (
            <Button icon={Ban} onClick={() => setAsked('cancel')}>
              {t('cancel')}
            </Button>
          )}
          {task.finished_at !== null && again > 0 && (
            <Button icon={RotateCcw} look="primary" onClick={() => setAsked('retry')}>
              {t('retry')}
            </Button>
          )}
        </div>
      )}
      {asked && asked !== 'pause' && (
        <ConfirmDialog
          open
          onOpenChange={(next) => !next && setAsked(null)}
          title={t(`${asked}.title`)}
          action={t(asked)}
          destructive={asked === 'cancel'}
          busy={busy}
          typed={asked === 'retry' && again > 10 ? String(again) : undefined}
          consequence={t(`${asked}.consequence`, { count: asked === 'retry' ? again : open })}
          onConfirm={() => void act(asked)}
        />
      )}
    </div>
  );
}
