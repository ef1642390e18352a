// What happened at a station, in one order: connections, statuses, sessions, commands, security events.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import {
  Activity,
  CircleDot,
  Download,
  History,
  ListChecks,
  ShieldAlert,
  Unplug,
  Zap,
  type LucideIcon,
} from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { commandName } from '@/commands/names';
import { absolute } from '@/i18n/quantity';
import { t as tTasks } from '@/screens/tasks/text';
import { IconButton } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { download } from '@/ui/download';
import { csvSource, PAGE_ROWS } from '@/ui/gather';
import { Ago } from '@/ui/live';
import { Segments } from '@/ui/segments';
import { EmptyState, ErrorState } from '@/ui/states';
import { StatusBadge } from '@/ui/status';
import { tUi } from '@/ui/text';
import { t } from './records-text';
import { stationRoute } from './route';

type Happening = Schemas['Happening'];
type Kind = Happening['kind'];

const GROUPS = {
  link: ['connected', 'disconnected'],
  status: ['status'],
  sessions: ['session_started', 'session_ended'],
  commands: ['command'],
  security: ['security'],
} satisfies Record<string, Kind[]>;
type Group = keyof typeof GROUPS;

const ICONS: Record<Kind, LucideIcon> = {
  connected: Zap,
  disconnected: Unplug,
  status: CircleDot,
  session_started: Activity,
  session_ended: Activity,
  command: ListChecks,
  security: ShieldAlert,
};
const TASK_STATES = [
  'queued',
  'sent',
  'accepted',
  'done',
  'rejected',
  'failed',
  'timed_out',
  'expired',
  'cancelled',
  'unknown',
] as const;

function resultOf(event: Happening): string {
  const state = TASK_STATES.find((each) => each === event.detail);
  return state ? tTasks(`r.${state}`) : event.detail;
}

/** What happened, in words. */
function said(event: Happening): string {
  if (event.kind === 'command') return commandName(event.what);
  if (event.kind === 'status') return event.what;
  if (event.kind === 'security') return event.what;
  return t(`event.${event.kind}`);
}

function details(event: Happening): string {
  const parts = [
    event.evse_id === null ? '' : t('event.evse', { number: event.evse_id }),
    event.kind === 'command' ? resultOf(event) : event.detail === 'NoError' ? '' : event.detail,
    event.by && t('event.by', { who: event.by }),
  ];
  return parts.filter(Boolean).join(' · ');
}

function What({ event }: { event: Happening }): ReactNode {
  if (event.kind === 'status') return <StatusBadge word={event.what} fine />;
  if (event.task_id)
    return (
      <Link
        to="/tasks/$taskId"
        params={{ taskId: event.task_id }}
        className="font-medium hover:underline"
      >
        {said(event)}
      </Link>
    );
  if (event.session_id)
    return (
      <Link
        to="/sessions/$sessionId"
        params={{ sessionId: event.session_id }}
        className="font-medium hover:underline"
      >
        {said(event)}
      </Link>
    );
  return <span className="font-medium">{said(event)}</span>;
}

const COLUMNS: Column<Happening>[] = [
  {
    id: 'at',
    header: t('event.time'),
    width: '205px',
    cell: (event) => <span className="text-muted tabular">{absolute(event.at)}</span>,
  },
  {
    id: 'kind',
    header: t('event.kind'),
    width: '150px',
    cell: (event) => {
      const Icon = ICONS[event.kind];
      return (
        <span className="inline-flex items-center gap-1.5 text-muted">
          <Icon aria-hidden size={14} />
          {t(`kind.${event.kind}`)}
        </span>
      );
    },
  },
  {
    id: 'what',
    header: t('event.what'),
    width: 'minmax(180px, 1fr)',
    cell: (event) => <What event={event} />,
  },
  {
    id: 'detail',
    header: t('event.detail'),
    width: 'minmax(180px, 2fr)',
    cell: (event) => (
      <span className="text-muted" title={details(event)}>
        {details(event)}
      </span>
    ),
  },
];

function askTimeLine(
  stationId: string,
  group: Group | undefined,
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return data(
    api.GET('/api/v1/stations/{station_id}/time-line', {
      params: {
        path: { station_id: stationId },
        query: {
          limit,
          ...(group ? { kind: GROUPS[group] } : {}),
          ...(cursor ? { cursor } : {}),
        },
      },
      signal,
    }),
  );
}

export function StationTimeLine({ stationId }: { stationId: string }) {
  const { kind } = stationRoute.useSearch();
  const navigate = useNavigate({ from: '/stations/$stationId' });
  const group = (Object.keys(GROUPS) as Group[]).find((each) => each === kind);
  const events = useInfiniteQuery({
    queryKey: ['station', stationId, 'time-line', group ?? ''],
    queryFn: ({ pageParam, signal }) => askTimeLine(stationId, group, 100, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : 10_000),
  });
  const rows = useMemo(() => events.data?.pages.flatMap((page) => page.items) ?? [], [events.data]);
  if (events.isError)
    return <ErrorState error={events.error} onRetry={() => void events.refetch()} />;
  return (
    <>
      <div className="no-print flex flex-wrap items-center gap-2 px-4 py-2.5">
        <Segments<Group>
          label={t('event.kind')}
          choices={[
            { id: undefined, label: t('group.all') },
            ...(Object.keys(GROUPS) as Group[]).map((id) => ({ id, label: t(`group.${id}`) })),
          ]}
          value={group}
          onValue={(next) =>
            void navigate({
              search: (before) => ({ ...before, kind: next }),
              replace: true,
              resetScroll: false,
            })
          }
        />
        <IconButton
          icon={Download}
          label={tUi('csv')}
          className="ml-auto"
          disabled={rows.length === 0}
          onClick={() => downloadTimeLine(stationId, group)}
        />
      </div>
      <DataTable
        label={t('events')}
        rows={rows}
        rowKey={(event) => `${event.at} ${event.kind} ${event.what} ${event.evse_id ?? ''}`}
        columns={COLUMNS}
        loading={events.isPending}
        phoneRow={(event) => {
          const Icon = ICONS[event.kind];
          return (
            <div className="flex items-center gap-2.5">
              <Icon aria-hidden size={15} className="shrink-0 text-muted" />
              <div className="min-w-0 flex-1">
                <p className="truncate">
                  <What event={event} />
                </p>
                <p className="truncate text-xs text-muted">{details(event)}</p>
              </div>
              <span className="text-xs text-muted">
                <Ago at={event.at} />
              </span>
            </div>
          );
        }}
        onEnd={() => {
          if (events.hasNextPage && !events.isFetchingNextPage) void events.fetchNextPage();
        }}
        className="border-t border-line"
        empty={
          <EmptyState icon={History} title={t('events.none')}>
            {t('events.none.hint')}
          </EmptyState>
        }
      />
    </>
  );
}

const SAVED = ['at', 'kind', 'what', 'detail', 'by', 'evse_id', 'task_id', 'session_id'] as const;

function downloadTimeLine(stationId: string, group: Group | undefined): void {
  download(
    `events-${stationId}`,
    csvSource<Happening>(
      [...SAVED],
      (event) => SAVED.map((name) => event[name]),
      (cursor, signal) => askTimeLine(stationId, group, PAGE_ROWS, cursor, signal),
    ),
  );
}
