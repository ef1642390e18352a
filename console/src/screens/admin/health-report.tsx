import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { HeartPulse } from 'lucide-react';
import { useMemo } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { duration, energy, joined, NOTHING, number } from '@/i18n/quantity';
import { toCsv } from '@/ui/csv';
import type { Column } from '@/ui/data-table';
import { QueryTable } from '@/ui/query-table';
import { Segments } from '@/ui/segments';
import { EmptyState } from '@/ui/states';
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
  const report = useQuery({
    queryKey: ['health-report', by],
    queryFn: () =>
      allPages((cursor) =>
        data(api.GET('/api/v1/health-report', { params: { query: { by, limit: 1000, cursor } } })),
      ),
    staleTime: 60_000,
  });
  const columns = useMemo<Column<Health>[]>(() => columnsBy(by), [by]);
  return (
    <QueryTable
      query={report}
      label={t('tab.report')}
      hint={t('report.hint')}
      columns={columns}
      rowKey={(row) => row.key}
      name={`health-${by}`}
      csv={csvOf}
      search
      tools={
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
      }
      phoneRow={(row) => (
        <div className="flex items-center gap-3">
          <div className="min-w-0 flex-1">
            <p className="truncate font-medium">{nameOf(row)}</p>
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
  );
}

const nameOf = (row: Health) => row.name || row.key;

function columnsBy(by: (typeof BY)[number]): Column<Health>[] {
  return [
    {
      id: 'name',
      header: t(`report.by.${by}`),
      width: 'minmax(170px, 1.6fr)',
      text: nameOf,
      cell: (row) =>
        by === 'site' && row.key ? (
          <Link
            to="/sites/$siteId"
            params={{ siteId: row.key }}
            className="font-medium hover:underline"
          >
            {nameOf(row)}
          </Link>
        ) : by === 'station' ? (
          <Link
            to="/stations/$stationId"
            params={{ stationId: row.key }}
            className="font-medium hover:underline"
          >
            {nameOf(row)}
          </Link>
        ) : (
          <span className="font-medium">{nameOf(row) || t('report.unknown')}</span>
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
      width: '132px',
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
