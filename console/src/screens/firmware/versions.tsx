// Which stations run what, and who is behind.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { CheckCircle2, CircleArrowUp, CircleDashed, Layers, Rocket } from 'lucide-react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { number } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { t } from './text';

type Version = Schemas['FirmwareVersion'];

const make = (row: Version) => [row.vendor, row.model].filter(Boolean).join(' ') || t('make.none');
const state = (row: Version) =>
  row.behind ? 'behind' : row.newest_version === null ? 'unknown' : 'current';

function State({ row }: { row: Version }) {
  const [Icon, colour] = {
    behind: [CircleArrowUp, 'text-warning'] as const,
    current: [CheckCircle2, 'text-good'] as const,
    unknown: [CircleDashed, 'text-faint'] as const,
  }[state(row)];
  return (
    <span className="inline-flex items-center gap-1.5">
      <Icon aria-hidden size={14} className={colour} />
      {t(`state.${state(row)}`)}
    </span>
  );
}

export function Versions() {
  const may = useMay('call_stations');
  const navigate = useNavigate();
  const query = useQuery({
    queryKey: ['firmware-versions'],
    queryFn: () =>
      allPages((cursor) =>
        data(api.GET('/api/v1/firmware-versions', { params: { query: { limit: 1000, cursor } } })),
      ),
    refetchInterval: 15_000,
  });
  const columns: Column<Version>[] = [
    {
      id: 'make',
      header: t('make'),
      width: 'minmax(180px, 2fr)',
      text: make,
      cell: (row) => (
        <Link
          to="/stations"
          search={{ q: [row.vendor, row.model].filter(Boolean).join(' ') }}
          className="font-medium hover:underline"
        >
          {make(row)}
        </Link>
      ),
    },
    {
      id: 'version',
      header: t('version'),
      width: 'minmax(110px, 1fr)',
      text: (row) => row.firmware_version,
      cell: (row) => <span className="font-mono text-xs">{row.firmware_version || '–'}</span>,
    },
    {
      id: 'stations',
      header: t('stations'),
      width: '100px',
      align: 'right',
      text: (row) => row.stations,
      cell: (row) => number(row.stations),
    },
    {
      id: 'connected',
      header: t('connected'),
      width: '100px',
      align: 'right',
      text: (row) => row.connected,
      cell: (row) => <span className="text-muted">{number(row.connected)}</span>,
    },
    {
      id: 'state',
      header: t('state'),
      width: '180px',
      text: (row) => t(`state.${state(row)}`),
      cell: (row) => <State row={row} />,
    },
    {
      id: 'newest',
      header: t('newest'),
      width: 'minmax(110px, 1fr)',
      text: (row) => row.newest_version,
      cell: (row) => <span className="font-mono text-xs">{row.newest_version ?? '–'}</span>,
    },
    {
      id: 'act',
      header: '',
      width: '130px',
      align: 'right',
      cell: (row) => {
        const image = row.newest_image_id;
        return (
          may &&
          row.behind &&
          image && (
            <Button
              small
              icon={Rocket}
              aria-label={t('update.these', { make: make(row), version: row.firmware_version })}
              onClick={() =>
                void navigate({
                  to: '/tasks/new',
                  search: {
                    command: 'update_firmware',
                    image,
                    from: row.firmware_version,
                    q: [row.vendor, row.model].filter(Boolean).join(' '),
                  },
                })
              }
            >
              {t('update')}
            </Button>
          )
        );
      },
    },
  ];
  const late = query.data?.items
    .filter((row) => row.behind)
    .reduce((sum, row) => sum + row.stations, 0);
  return (
    <QueryTable
      query={query}
      label={t('tab.versions')}
      columns={columns}
      rowKey={(row) => `${row.vendor} ${row.model} ${row.firmware_version}`}
      phoneRow={(row) => (
        <div className="flex items-center gap-2">
          <div className="min-w-0 flex-1">
            <p className="truncate font-medium">{make(row)}</p>
            <p className="truncate text-xs text-muted">
              {row.firmware_version || '–'} · {t('stations.count', { count: row.stations })}
            </p>
          </div>
          <span className="text-xs">
            <State row={row} />
          </span>
          {columns.at(-1)?.cell(row)}
        </div>
      )}
      name="firmware-versions"
      search
      tools={
        late !== undefined && (
          <span className="text-xs text-muted tabular">{t('behind.count', { count: late })}</span>
        )
      }
      empty={
        <EmptyState icon={Layers} title={t('versions.none')}>
          {t('versions.none.hint')}
        </EmptyState>
      }
    />
  );
}
