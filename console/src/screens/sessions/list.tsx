// The list of sessions, of the whole network or of one station.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Activity } from 'lucide-react';
import { useMemo } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { duration, energy, moment, NOTHING, power } from '@/i18n/quantity';
import { displayName, useNow, useStation } from '@/live/hooks';
import { DataTable, type Column } from '@/ui/data-table';
import { download } from '@/ui/download';
import { csvSource, PAGE_ROWS } from '@/ui/gather';
import { Figure, Flash } from '@/ui/live';
import { EmptyState, ErrorState } from '@/ui/states';
import { reasonText } from './reason';
import { SessionState } from './state';
import { t } from './text';

type Session = Schemas['Session'];

const PAGE = 100;
const FETCHED_MS = 5000;

interface Filter {
  state?: Session['state'] | undefined;
  station?: string | undefined;
}

function askSessions(
  { state, station }: Filter,
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return data(
    api.GET('/api/v1/sessions', {
      params: {
        query: {
          limit,
          ...(state ? { state } : {}),
          ...(station ? { station_id: station } : {}),
          ...(cursor ? { cursor } : {}),
        },
      },
      signal,
    }),
  );
}

/** Whether a session has every word that is looked for. */
function hasWords(session: Session, words: string[]): boolean {
  const text =
    `${session.station_id} ${session.token_uid ?? ''} ${session.stop_reason ?? ''} ${reasonText(session.stop_reason) ?? ''} ${session.review.join(' ')}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const wordsOf = (text: string) => text.toLowerCase().split(/\s+/).filter(Boolean);

const SAVED = [
  'id',
  'station_id',
  'evse_id',
  'token_uid',
  'state',
  'started_at',
  'ended_at',
  'energy_wh',
  'meter_start_wh',
  'meter_end_wh',
  'stop_reason',
] as const;

/** Save all sessions that fit, not only those that were scrolled to. */
export function downloadSessions(filter: Filter, text: string): void {
  const words = wordsOf(text);
  download(
    'sessions',
    csvSource<Session>(
      [...SAVED, 'review'],
      (session) => [...SAVED.map((name) => session[name]), session.review.join(' ')],
      (cursor, signal) => askSessions(filter, PAGE_ROWS, cursor, signal),
      (session) => hasWords(session, words),
    ),
  );
}

function useSessions(state: Session['state'] | undefined, station: string | undefined) {
  const query = useInfiniteQuery({
    queryKey: ['sessions', state ?? '', station ?? ''],
    queryFn: ({ pageParam, signal }) => askSessions({ state, station }, PAGE, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    // Somebody who has gone far back does not want everything fetched again.
    refetchInterval: (now) => ((now.state.data?.pages.length ?? 0) <= 1 ? FETCHED_MS : false),
  });
  const sessions = useMemo(
    () => query.data?.pages.flatMap((page) => page.items) ?? [],
    [query.data],
  );
  return { ...query, sessions };
}

/** What the live picture knows of a session that is under way. */
function useLiveEvse(session: Session) {
  const station = useStation(session.station_id);
  return session.state === 'active'
    ? station?.evses.find((evse) => evse.session_id === session.id)
    : undefined;
}

function Energy({ session }: { session: Session }) {
  const evse = useLiveEvse(session);
  const value = evse?.energy_wh ?? session.energy_wh;
  return (
    <Flash value={value ?? 0} className="-mr-1 px-1 py-0.5">
      <Figure quantity={energy(value)} />
    </Flash>
  );
}

function Power({ session }: { session: Session }) {
  const evse = useLiveEvse(session);
  if (session.state !== 'active') return <span className="text-muted">{NOTHING}</span>;
  const value = evse?.power_w ?? session.power_w;
  return (
    <Flash value={value ?? 0} className="-mr-1 px-1 py-0.5">
      <Figure quantity={power(value)} />
    </Flash>
  );
}

export function SessionLength({ session }: { session: Session }) {
  return session.ended_at ? (
    <>
      {duration(
        (new Date(session.ended_at).getTime() - new Date(session.started_at).getTime()) / 1000,
      )}
    </>
  ) : (
    <Running since={session.started_at} />
  );
}

function Running({ since }: { since: string }) {
  const now = useNow(5000);
  return <>{duration((now - new Date(since).getTime()) / 1000)}</>;
}

function StationName({ id }: { id: string }) {
  const station = useStation(id);
  return <>{displayName(id, station)}</>;
}

const STARTED: Column<Session> = {
  id: 'started',
  header: t('column.started'),
  width: '148px',
  cell: (session) => (
    <Link
      to="/sessions/$sessionId"
      params={{ sessionId: session.id }}
      className="font-medium tabular hover:underline"
    >
      {moment(session.started_at)}
    </Link>
  ),
};

const STATION: Column<Session> = {
  id: 'station',
  header: t('column.station'),
  width: 'minmax(160px, 1.5fr)',
  cell: (session) => <StationName id={session.station_id} />,
};

const REST: Column<Session>[] = [
  {
    id: 'evse',
    header: t('column.evse'),
    width: '84px',
    cell: (session) => <span className="text-muted">{session.evse_id ?? NOTHING}</span>,
  },
  {
    id: 'token',
    header: t('column.token'),
    width: 'minmax(120px, 1fr)',
    cell: (session) => (
      <span className="font-mono text-xs text-muted">{session.token_uid ?? NOTHING}</span>
    ),
  },
  {
    id: 'state',
    header: t('column.state'),
    width: '124px',
    cell: (session) => <SessionState session={session} />,
  },
  {
    id: 'reason',
    header: t('column.reason'),
    width: 'minmax(150px, 1.1fr)',
    cell: (session) => (
      <span className="text-muted" title={session.stop_reason ?? undefined}>
        {reasonText(session.stop_reason) ?? (session.ended_at ? NOTHING : '')}
      </span>
    ),
  },
  {
    id: 'energy',
    header: t('column.energy'),
    width: '104px',
    align: 'right',
    cell: (session) => <Energy session={session} />,
  },
  {
    id: 'power',
    header: t('column.power'),
    width: '96px',
    align: 'right',
    cell: (session) => <Power session={session} />,
  },
  {
    id: 'duration',
    header: t('column.duration'),
    width: '104px',
    align: 'right',
    cell: (session) => <SessionLength session={session} />,
  },
];

export function SessionList({
  state,
  station,
  filter = '',
}: {
  state?: Session['state'] | undefined;
  station?: string | undefined;
  filter?: string;
}) {
  const navigate = useNavigate();
  const sessions = useSessions(state, station);
  const shown = useMemo(() => {
    const words = wordsOf(filter);
    return sessions.sessions.filter((session) => hasWords(session, words));
  }, [sessions.sessions, filter]);
  const columns = useMemo(
    () => (station ? [STARTED, ...REST] : [STARTED, STATION, ...REST]),
    [station],
  );
  if (sessions.isError) {
    return <ErrorState error={sessions.error} onRetry={() => void sessions.refetch()} />;
  }
  const isFiltered = Boolean(state ?? filter);
  return (
    <DataTable
      label={t('table')}
      rows={shown}
      rowKey={(session) => session.id}
      columns={columns}
      freeze
      asked={filter}
      loading={sessions.isPending}
      onOpen={(session) =>
        void navigate({ to: '/sessions/$sessionId', params: { sessionId: session.id } })
      }
      onEnd={() => {
        if (sessions.hasNextPage && !sessions.isFetchingNextPage) void sessions.fetchNextPage();
      }}
      phoneRow={(session) => (
        <div className="relative flex items-center gap-3">
          <div className="min-w-0 flex-1">
            <Link
              to="/sessions/$sessionId"
              params={{ sessionId: session.id }}
              className="block truncate font-medium after:absolute after:inset-0"
            >
              <StationName id={session.station_id} />
            </Link>
            <p className="truncate text-xs text-muted tabular">
              {moment(session.started_at)} · <SessionLength session={session} />
            </p>
          </div>
          <div className="text-right">
            <Energy session={session} />
            <p className="text-xs text-muted">
              <SessionState session={session} />
            </p>
          </div>
        </div>
      )}
      empty={
        <EmptyState icon={Activity} title={t(isFiltered ? 'none' : 'empty')}>
          {t(isFiltered ? 'none.hint' : 'empty.hint')}
        </EmptyState>
      }
    />
  );
}
