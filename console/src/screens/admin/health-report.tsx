import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Download, HeartPulse } from 'lucide-react';
import { useMemo } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { duration, energy, joined, NOTHING, number } from '@/i18n/quantity';
import { IconButton } from '@/ui/button';
import { fileName, saveFile, toCsv } from '@/ui/csv';
import { DataTable, type Column } from '@/ui/data-table';
import { Segments } from '@/ui/segments';
import { EmptyState, ErrorState } from '@/ui/states';
import { tUi } from '@/ui/text';
import { adminRoute, BY } from './route';
import { t } from './text';

type Health = Schemas['GroupHealth'];

/** A share in percent; one that is known to be poor steps forward. */
function Share({ value, good }: { value: number | null; good: number }) {
  if (value === null) return <span className="text-muted">{NOTHING}</span>;
  return (
    <span className={value < good ? 'font-semibold text-warning' : undefined}>
      {number(value, 1)}
      <span className="text-[0.92em] text-muted">{'\u00a0'}%</span>
    </span>
  );
}

// What NEVI asks of a charger; of plug-ins nobody asks a figure, so that nine of ten is our own.
const UPTIME_WANTED = 97;
const SUCCESS_WANTED = 90;

export function HealthReport() {
  const search = adminRoute.useSearch();
  const navigate = useNavigate({ from: '/administration' });
  const by = search.by ?? 'site';
  const report = useInfiniteQuery({
    queryKey: ['health-report', by],
    queryFn: ({ pageParam }) =>
      data(
        api.GET('/api/v1/health-report', {
          params: { query: { by, limit: 200, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: 60_000,
  });
  const rows = useMemo(() => report.data?.pages.flatMap((page) => page.items) ?? [], [report.data]);
  const columns = useMemo<Column<Health>[]>(() => columnsBy(by), [by]);
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 px-4 py-3">
        <Segments
          label={t('report.by')}
          choices={BY.map((id) => ({ id, label: t(`report.by.${id}`) }))}
          value={by}
          onValue={(next) =>
            void navigate({
              search: (before) => ({ ...before, by: next === 'site' ? undefined : next }),
              replace: true,
            })
          }
        />
        <p className="min-w-52 flex-1 text-muted">{t('report.hint')}</p>
        <IconButton
          icon={Download}
          label={tUi('csv')}
          onClick={() => saveFile(fileName(`health-${by}`), csvOf(rows))}
        />
      </div>
      {report.isError ? (
        <ErrorState error={report.error} onRetry={() => void report.refetch()} />
      ) : (
        <DataTable
          label={t('tab.report')}
          rows={rows}
          rowKey={(row) => row.key}
          columns={columns}
          loading={report.isPending}
          onEnd={() => {
            if (report.hasNextPage && !report.isFetchingNextPage) void report.fetchNextPage();
          }}
          className="border-t border-line"
          phoneRow={(row) => (
            <div className="flex items-center gap-3">
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium">{row.name || row.key}</p>
                <p className="truncate text-xs text-muted">
                  {t('report.plug-ins')} <Share value={row.plug_in_success_percent} good={0} />
                </p>
              </div>
              <Share value={row.nevi_percent} good={UPTIME_WANTED} />
            </div>
          )}
          empty={
            <EmptyState icon={HeartPulse} title={t('report.none')}>
              {t('report.none.hint')}
            </EmptyState>
          }
        />
      )}
    </>
  );
}

function columnsBy(by: (typeof BY)[number]): Column<Health>[] {
  const name = (row: Health) => row.name || row.key;
  return [
    {
      id: 'name',
      header: t(`report.by.${by}`),
      width: 'minmax(170px, 1.6fr)',
      cell: (row) =>
        by === 'site' && row.key ? (
          <Link
            to="/sites/$siteId"
            params={{ siteId: row.key }}
            className="font-medium hover:underline"
          >
            {name(row)}
          </Link>
        ) : by === 'station' ? (
          <Link
            to="/stations/$stationId"
            params={{ stationId: row.key }}
            className="font-medium hover:underline"
          >
            {name(row)}
          </Link>
        ) : (
          <span className="font-medium">{name(row) || t('report.unknown')}</span>
        ),
    },
    {
      id: 'stations',
      header: t('report.stations'),
      width: '84px',
      align: 'right',
      cell: (row) => number(row.stations),
    },
    {
      id: 'uptime',
      header: t('report.uptime'),
      width: '96px',
      align: 'right',
      cell: (row) => <Share value={row.nevi_percent} good={UPTIME_WANTED} />,
    },
    {
      id: 'worst',
      header: t('report.worst'),
      width: '108px',
      align: 'right',
      cell: (row) => <Share value={row.worst_evse_percent} good={UPTIME_WANTED} />,
    },
    {
      id: 'outage',
      header: t('report.outage'),
      width: '104px',
      align: 'right',
      cell: (row) => <span className="text-muted">{duration(row.outage_s)}</span>,
    },
    {
      id: 'plug-ins',
      header: t('report.plug-ins'),
      width: '116px',
      align: 'right',
      cell: (row) => (
        <span title={t('report.of', { good: row.plug_ins_charged, all: row.plug_ins })}>
          <Share value={row.plug_in_success_percent} good={SUCCESS_WANTED} />
        </span>
      ),
    },
    {
      id: 'sessions',
      header: t('report.sessions'),
      width: '116px',
      align: 'right',
      cell: (row) => (
        <span title={t('report.of', { good: row.sessions_successful, all: row.sessions })}>
          <Share value={row.session_success_percent} good={SUCCESS_WANTED} />
        </span>
      ),
    },
    {
      id: 'energy',
      header: t('report.energy'),
      width: '104px',
      align: 'right',
      cell: (row) => joined(energy(row.energy_wh)),
    },
    {
      id: 'connects',
      header: t('report.connects'),
      width: '96px',
      align: 'right',
      cell: (row) => <span className="text-muted">{number(row.connects)}</span>,
    },
  ];
}

function csvOf(rows: Health[]): string {
  const head = [
    'key',
    'name',
    'stations',
    'evses',
    'nevi_percent',
    'operational_percent',
    'worst_evse_percent',
    'outage_s',
    'excluded_s',
    'plug_ins',
    'plug_ins_charged',
    'plug_in_success_percent',
    'sessions',
    'sessions_successful',
    'session_success_percent',
    'energy_wh',
    'connects',
    'messages',
    'repaired',
  ] as const;
  return toCsv(
    [...head],
    rows.map((row) => head.map((name) => row[name])),
  );
}
