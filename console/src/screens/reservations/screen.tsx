import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { CalendarClock, ChevronLeft, ChevronRight, Download, Plus } from 'lucide-react';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { moment, NOTHING, timeZone } from '@/i18n/quantity';
import { Button, IconButton } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { download } from '@/ui/download';
import { SearchField } from '@/ui/fields';
import { csvSource, PAGE_ROWS } from '@/ui/gather';
import { PageBody, PageHeader } from '@/ui/page';
import { SavedViews } from '@/ui/saved-views';
import { Segments } from '@/ui/segments';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { TabLinks } from '@/ui/tabs';
import { tUi } from '@/ui/text';
import { lanesOf, type Reservation } from './lanes';
import type { Beginning } from './new-form';
import { reservationsRoute, SPANS, STATES, type ReservationsSearch } from './route';
import { ReservationState } from './state';
import { t } from './text';
import { TimeLine } from './time-line';

const NewReservation = lazy(() =>
  import('./new-form').then((found) => ({ default: found.NewReservation })),
);
const ReservationDetail = lazy(() =>
  import('./detail').then((found) => ({ default: found.ReservationDetail })),
);

const HOUR = 3_600_000;

function askReservations(
  state: ReservationsSearch['state'],
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return data(
    api.GET('/api/v1/reservations', {
      params: { query: { limit, state: state ?? '', ...(cursor ? { cursor } : {}) } },
      signal,
    }),
  );
}

function useReservations(state: ReservationsSearch['state']) {
  const query = useInfiniteQuery({
    queryKey: ['reservations', 'list', state ?? ''],
    queryFn: ({ pageParam, signal }) => askReservations(state, 200, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: 5000,
  });
  const reservations = useMemo(
    () => query.data?.pages.flatMap((page) => page.items) ?? [],
    [query.data],
  );
  return { ...query, reservations };
}

export function Reservations() {
  const search = reservationsRoute.useSearch();
  const navigate = useNavigate({ from: '/reservations' });
  const mayMake = useMay('call_stations');
  const isList = search.tab === 'list';
  const found = useReservations(isList ? search.state : undefined);
  const [beginning, setBeginning] = useState<Beginning | null>(null);
  const change = (next: Partial<ReservationsSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const begin = () => setBeginning({ stationId: '', evse: null, at: Date.now() });
  const open = (reservation: Reservation) => change({ id: String(reservation.id) });
  const add = mayMake && (
    <Button look="primary" icon={Plus} onClick={begin}>
      {t('add')}
    </Button>
  );
  const tabs = [
    { id: 'line', label: t('tab.line') },
    { id: 'list', label: t('tab.list') },
  ];
  const id = Number(search.id);
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TabLinks tabs={tabs} selected={isList ? 'list' : 'line'} label={t('tabs')} />
          {found.isError ? (
            <ErrorState error={found.error} onRetry={() => void found.refetch()} />
          ) : isList ? (
            <List found={found} change={change} onOpen={open} add={add} />
          ) : (
            <Line
              reservations={found.reservations}
              pending={found.isPending}
              change={change}
              onOpen={open}
              onNew={
                mayMake ? (stationId, evse, at) => setBeginning({ stationId, evse, at }) : undefined
              }
              add={add}
            />
          )}
        </div>
      </PageBody>
      <Suspense>
        {beginning && <NewReservation beginning={beginning} onClose={() => setBeginning(null)} />}
        {Number.isInteger(id) && id > 0 && (
          <ReservationDetail id={id} onClose={() => change({ id: undefined })} />
        )}
      </Suspense>
    </>
  );
}

function Line({
  reservations,
  pending,
  change,
  onOpen,
  onNew,
  add,
}: {
  reservations: Reservation[];
  pending: boolean;
  change: (next: Partial<ReservationsSearch>) => void;
  onOpen: (reservation: Reservation) => void;
  onNew: ((stationId: string, evse: number | null, at: number) => void) | undefined;
  add: React.ReactNode;
}) {
  const search = reservationsRoute.useSearch();
  const hours = Number(search.hours ?? '24');
  const [start, setStart] = useState(() => Date.now());
  useEffect(() => {
    // The line goes on with the time while nobody has gone elsewhere.
    const timer = setInterval(() => setStart(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  const given = search.from ? Date.parse(search.from) : NaN;
  const from = Number.isNaN(given) ? start - (hours * HOUR) / 8 : given;
  const go = (sign: number) =>
    change({ from: new Date(from + (sign * hours * HOUR) / 2).toISOString() });
  const isEmpty = lanesOf(reservations, from, from + hours * HOUR).length === 0;
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        <IconButton icon={ChevronLeft} label={t('earlier')} onClick={() => go(-1)} />
        <Button onClick={() => change({ from: undefined })}>{t('now')}</Button>
        <IconButton icon={ChevronRight} label={t('later')} onClick={() => go(1)} />
        <span className="text-muted tabular max-sm:order-last max-sm:w-full" role="status">
          {moment(from)} – {moment(from + hours * HOUR)}
          <span className="ml-2 text-xs max-md:hidden">{timeZone}</span>
        </span>
        <div className="ml-auto flex items-center gap-2">
          <Segments
            label={t('span')}
            choices={SPANS.map((each) => ({ id: each, label: t(`span.${each}`) }))}
            value={search.hours ?? '24'}
            onValue={(each) => change({ hours: each === '24' ? undefined : each })}
          />
          {add}
        </div>
      </div>
      <div className="flex min-h-0 flex-1 flex-col border-t border-line">
        {pending ? (
          <LoadingRows />
        ) : isEmpty ? (
          <EmptyState
            icon={CalendarClock}
            title={t(reservations.length > 0 ? 'line.none' : 'empty')}
          >
            {t(reservations.length > 0 ? 'line.none.hint' : 'empty.hint')}
          </EmptyState>
        ) : (
          <TimeLine
            reservations={reservations}
            from={from}
            hours={hours}
            onOpen={onOpen}
            onNew={onNew}
          />
        )}
      </div>
    </>
  );
}

const COLUMNS: Column<Reservation>[] = [
  {
    id: 'from',
    header: t('from'),
    width: '150px',
    cell: (each) => <span className="tabular">{moment(each.from_at)}</span>,
  },
  {
    id: 'until',
    header: t('until'),
    width: '150px',
    cell: (each) => <span className="text-muted tabular">{moment(each.until_at)}</span>,
  },
  {
    id: 'station',
    header: t('station'),
    width: 'minmax(140px, 1.2fr)',
    cell: (each) => each.station_id,
  },
  {
    id: 'evse',
    header: t('evse'),
    width: '72px',
    cell: (each) => (
      <span className="text-muted">{each.evse_id ?? each.placed_evse_id ?? NOTHING}</span>
    ),
  },
  {
    id: 'holder',
    header: t('token'),
    width: 'minmax(130px, 1fr)',
    cell: (each) => (
      <span className="font-mono text-xs">{each.token_uid ?? each.group_id ?? NOTHING}</span>
    ),
  },
  {
    id: 'state',
    header: t('column.state'),
    width: '132px',
    cell: (each) => <ReservationState state={each.state} />,
  },
  {
    id: 'detail',
    header: t('column.detail'),
    width: 'minmax(160px, 2fr)',
    cell: (each) => <span className="text-muted">{each.detail || each.note}</span>,
  },
];

function List({
  found,
  change,
  onOpen,
  add,
}: {
  found: ReturnType<typeof useReservations>;
  change: (next: Partial<ReservationsSearch>) => void;
  onOpen: (reservation: Reservation) => void;
  add: React.ReactNode;
}) {
  const search = reservationsRoute.useSearch();
  const rows = useMemo(() => {
    const words = wordsOf(search.q);
    return found.reservations.filter((each) => hasWords(each, words));
  }, [found.reservations, search.q]);
  const columns = useMemo<Column<Reservation>[]>(
    () => [
      {
        id: 'id',
        header: t('column.number'),
        width: '72px',
        cell: (each) => (
          <button
            type="button"
            onClick={() => onOpen(each)}
            className="font-medium tabular hover:underline"
          >
            {each.id}
          </button>
        ),
      },
      ...COLUMNS,
    ],
    // What opens a row does not change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  );
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        <SearchField
          label={t('search')}
          value={search.q ?? ''}
          onValue={(q) => change({ q: q || undefined })}
          shortcut="/"
          className="w-64 max-sm:min-w-44 max-sm:flex-1"
        />
        <Segments
          label={t('filter')}
          choices={[
            { id: undefined, label: t('filter.all') },
            ...STATES.map((id) => ({
              id,
              label: t(id === 'open' ? 'filter.open' : `state.${id}`),
            })),
          ]}
          value={search.state}
          onValue={(state) => change({ state })}
        />
        <div className="ml-auto flex items-center gap-2">
          <SavedViews screen="reservations" />
          <IconButton
            icon={Download}
            label={tUi('csv')}
            onClick={() => downloadReservations(search)}
          />
          {add}
        </div>
      </div>
      <DataTable
        label={t('title')}
        rows={rows}
        rowKey={(each) => String(each.id)}
        columns={columns}
        freeze
        asked={search}
        loading={found.isPending}
        onOpen={onOpen}
        onEnd={() => {
          if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
        }}
        className="border-t border-line"
        phoneRow={(each) => (
          <div className="flex items-center gap-3">
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">{each.station_id}</p>
              <p className="truncate text-xs text-muted tabular">{moment(each.from_at)}</p>
            </div>
            <ReservationState state={each.state} />
          </div>
        )}
        empty={
          <EmptyState icon={CalendarClock} title={t((search.state ?? search.q) ? 'none' : 'empty')}>
            {t((search.state ?? search.q) ? 'none.hint' : 'empty.hint')}
          </EmptyState>
        }
      />
    </>
  );
}

const wordsOf = (text = '') => text.toLowerCase().split(/\s+/).filter(Boolean);

function hasWords(each: Reservation, words: string[]): boolean {
  const text =
    `${each.station_id} ${each.token_uid ?? ''} ${each.group_id ?? ''} ${each.note} ${each.detail}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const SAVED = [
  'id',
  'station_id',
  'evse_id',
  'token_uid',
  'group_id',
  'from_at',
  'until_at',
  'state',
  'detail',
  'note',
  'created_by',
  'created_at',
] as const;

function downloadReservations({ state, q }: ReservationsSearch): void {
  const words = wordsOf(q);
  download(
    'reservations',
    csvSource<Reservation>(
      [...SAVED],
      (each) => SAVED.map((name) => each[name]),
      (cursor, signal) => askReservations(state, PAGE_ROWS, cursor, signal),
      (each) => hasWords(each, words),
    ),
  );
}
