// The list of tasks: all of them, or those of one command.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { commandName, label } from '@/commands/names';
import { number } from '@/i18n/quantity';
import { IconButton } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { download } from '@/ui/download';
import { csvSource, PAGE_ROWS } from '@/ui/gather';
import { Ago } from '@/ui/live';
import { SavedViews } from '@/ui/saved-views';
import { ErrorState } from '@/ui/states';
import { tUi } from '@/ui/text';
import { Progress, TaskMark } from './parts';
import type { TaskState } from './route';
import { t } from './text';

type Task = Schemas['ListedTask'];

const RUNNING_MS = 2000;
const IDLE_MS = 15_000;

const ended = (task: Task) => task.succeeded + task.failed + task.cancelled;

interface Said {
  title: string;
  note: string;
}

const saidValue = (value: unknown) =>
  typeof value === 'boolean' ? t(value ? 'yes' : 'no') : String(value);

/** What a command is about, in a few words: its plain parameters. */
function summary(task: Task): string {
  return Object.entries(task.parameters)
    .filter(([name, value]) => name !== 'command' && value !== null && typeof value !== 'object')
    .map(([name, value]) =>
      typeof value === 'number' ? `${label(name)} ${value}` : `${label(name)}: ${saidValue(value)}`,
    )
    .join(', ');
}

/** The columns; `describe` names what a task does. */
const columnsOf = (describe: (task: Task) => Said): Column<Task>[] => [
  {
    id: 'command',
    header: t('column.command'),
    width: 'minmax(220px, 2fr)',
    cell: (task) => (
      <>
        <Link
          to="/tasks/$taskId"
          params={{ taskId: task.id }}
          className="font-medium hover:underline"
        >
          {describe(task).title}
        </Link>
        <span className="ml-2 text-xs text-muted">
          {[task.station_id, describe(task).note].filter(Boolean).join(' · ')}
        </span>
      </>
    ),
  },
  {
    id: 'state',
    header: t('column.state'),
    width: '148px',
    cell: (task) => <TaskMark task={task} />,
  },
  {
    id: 'progress',
    header: t('column.progress'),
    width: 'minmax(140px, 1fr)',
    cell: (task) => (
      <span className="flex items-center pr-3">
        <Progress counts={task} />
      </span>
    ),
  },
  {
    id: 'stations',
    header: t('column.stations'),
    width: '110px',
    align: 'right',
    cell: (task) => t('progress', { done: ended(task), total: task.total }),
  },
  {
    id: 'failed',
    header: t('column.failed'),
    width: '124px',
    align: 'right',
    cell: (task) =>
      task.failed > 0 ? (
        <span className="text-danger">{number(task.failed)}</span>
      ) : (
        <span className="text-muted">0</span>
      ),
  },
  {
    id: 'by',
    header: t('column.by'),
    width: 'minmax(130px, 1fr)',
    cell: (task) => <span className="text-muted">{task.created_by}</span>,
  },
  {
    id: 'at',
    header: t('column.at'),
    width: '110px',
    align: 'right',
    cell: (task) => <Ago at={task.created_at} />,
  },
];

const byCommand = (task: Task): Said => ({
  title: commandName(task.command),
  note: task.note || summary(task),
});

function askTasks(
  state: TaskState | undefined,
  command: string,
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return data(
    api.GET('/api/v1/tasks', {
      params: {
        query: { limit, state: state ?? '', command, ...(cursor ? { cursor } : {}) },
      },
      signal,
    }),
  );
}

/** Tasks, the newest first, with progress while they run. */
export function TaskList({
  state,
  command = '',
  tools,
  actions,
  empty,
  describe = byCommand,
}: {
  state?: TaskState | undefined;
  /** Only of this command. */
  command?: string;
  tools?: ReactNode;
  actions?: ReactNode;
  empty: ReactNode;
  describe?: (task: Task) => Said;
}) {
  const navigate = useNavigate();
  const tasks = useInfiniteQuery({
    queryKey: ['tasks', 'list', state ?? '', command],
    queryFn: ({ pageParam, signal }) => askTasks(state, command, 100, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: (query) =>
      query.state.data?.pages[0]?.items.some((task) => task.state === 'running')
        ? RUNNING_MS
        : IDLE_MS,
  });
  const rows = useMemo(() => tasks.data?.pages.flatMap((page) => page.items) ?? [], [tasks.data]);
  const columns = useMemo(() => columnsOf(describe), [describe]);
  return (
    <>
      <div className="no-print flex flex-wrap items-center gap-2 border-b border-line px-4 py-3">
        {tools}
        <div className="ml-auto flex items-center gap-2">
          {command === '' && <SavedViews screen="tasks" />}
          <IconButton
            icon={Download}
            label={tUi('csv')}
            disabled={rows.length === 0}
            onClick={() => downloadTasks(state, command)}
          />
          {actions}
        </div>
      </div>
      {tasks.isError ? (
        <ErrorState error={tasks.error} onRetry={() => void tasks.refetch()} />
      ) : (
        <DataTable
          label={t('table')}
          rows={rows}
          rowKey={(task) => task.id}
          columns={columns}
          loading={tasks.isPending}
          onOpen={(task) => void navigate({ to: '/tasks/$taskId', params: { taskId: task.id } })}
          onEnd={() => {
            if (tasks.hasNextPage && !tasks.isFetchingNextPage) void tasks.fetchNextPage();
          }}
          phoneRow={(task) => <TaskLine task={task} title={describe(task).title} />}
          empty={empty}
        />
      )}
    </>
  );
}

function TaskLine({ task, title }: { task: Task; title: string }) {
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-center gap-2">
        <Link
          to="/tasks/$taskId"
          params={{ taskId: task.id }}
          className="min-w-0 flex-1 truncate font-medium"
        >
          {title}
        </Link>
        <span className="text-xs">
          <TaskMark task={task} />
        </span>
      </div>
      <div className="flex items-center gap-2 text-xs text-muted">
        <span className="w-24">
          <Progress counts={task} />
        </span>
        <span className="min-w-0 truncate tabular">
          {task.station_id ?? t('progress', { done: ended(task), total: task.total })}
        </span>
        <span className="ml-auto shrink-0">
          <Ago at={task.created_at} />
        </span>
      </div>
    </div>
  );
}

const SAVED = [
  'id',
  'command',
  'state',
  'total',
  'succeeded',
  'failed',
  'cancelled',
  'station_id',
  'created_by',
  'note',
  'created_at',
  'finished_at',
] as const;

function downloadTasks(state: TaskState | undefined, command: string): void {
  download(
    'tasks',
    csvSource<Task>(
      [...SAVED],
      (task) => SAVED.map((name) => task[name]),
      (cursor, signal) => askTasks(state, command, PAGE_ROWS, cursor, signal),
    ),
  );
}
