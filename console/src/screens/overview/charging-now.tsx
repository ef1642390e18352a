// The sessions that are under way, the strongest first.
import { Link, useNavigate } from '@tanstack/react-router';
import { BatteryCharging } from 'lucide-react';
import { useMemo } from 'react';
import { duration, energy, number, power } from '@/i18n/quantity';
import { useLive, useNow, useStations } from '@/live/hooks';
import { statusOf } from '@/live/status';
import type { LiveEvse, LiveStation } from '@/live/types';
import { DataTable, type Column } from '@/ui/data-table';
import { Figure, Flash } from '@/ui/live';
import { Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { t } from './text';

interface Row {
  key: string;
  station: LiveStation;
  evse: LiveEvse;
}

function Since({ at }: { at: string | null | undefined }) {
  const now = useNow(10_000);
  return <>{at ? duration((now - new Date(at).getTime()) / 1000) : '–'}</>;
}

function Name({ row }: { row: Row }) {
  return (
    <>
      <Link
        to="/stations/$stationId"
        params={{ stationId: row.station.id }}
        className="font-medium hover:underline"
      >
        {row.station.name || row.station.id}
      </Link>{' '}
      <span className="text-xs text-muted">{row.station.evses.length > 1 ? row.evse.id : ''}</span>
    </>
  );
}

const COLUMNS: Column<Row>[] = [
  {
    id: 'station',
    header: t('now.station'),
    width: 'minmax(150px, 1fr)',
    cell: (row) => <Name row={row} />,
  },
  {
    id: 'power',
    header: t('now.power'),
    width: '92px',
    align: 'right',
    cell: ({ evse }) => (
      <Flash value={evse.power_w} className="px-1 -mr-1 py-0.5">
        <Figure quantity={power(evse.power_w)} />
      </Flash>
    ),
  },
  {
    id: 'energy',
    header: t('now.energy'),
    width: '92px',
    align: 'right',
    cell: ({ evse }) => <Figure quantity={energy(evse.energy_wh)} />,
  },
  {
    id: 'soc',
    header: t('now.soc'),
    width: '72px',
    align: 'right',
    cell: ({ evse }) => (evse.soc == null ? '–' : `${number(evse.soc)} %`),
  },
  {
    id: 'since',
    header: t('now.since'),
    width: '88px',
    align: 'right',
    cell: ({ evse }) => <Since at={evse.started_at} />,
  },
];

export function ChargingNow() {
  const navigate = useNavigate();
  const ready = useLive((store) => store.ready);
  const many = useLive((store) => (store.kpi?.total ?? 0) > 2000);
  const stations = useStations(many ? 3000 : 1000);
  const rows = useMemo(() => {
    const found: Row[] = [];
    for (const station of stations) {
      if (!station.connected) continue;
      for (const evse of station.evses) {
        if (statusOf(evse.status) === 'charging' && evse.session_id) {
          found.push({ key: `${station.id} ${evse.id}`, station, evse });
        }
      }
    }
    return found.sort((a, b) => b.evse.power_w - a.evse.power_w);
  }, [stations]);
  return (
    <Panel
      flush
      title={t('now')}
      note={rows.length > 0 ? rows.length : undefined}
      className="min-h-52 max-lg:h-96"
    >
      <DataTable
        label={t('now')}
        rows={rows}
        rowKey={(row) => row.key}
        columns={COLUMNS}
        freeze
        loading={!ready}
        onOpen={(row) =>
          void navigate({ to: '/stations/$stationId', params: { stationId: row.station.id } })
        }
        phoneRow={(row) => (
          <div className="flex items-center gap-3">
            <div className="min-w-0 flex-1">
              <p className="truncate">
                <Name row={row} />
              </p>
              <p className="truncate text-xs text-muted tabular">
                <Figure quantity={energy(row.evse.energy_wh)} />
                {row.evse.soc != null && ` · ${number(row.evse.soc)} %`} ·{' '}
                <Since at={row.evse.started_at} />
              </p>
            </div>
            <Figure quantity={power(row.evse.power_w)} className="font-medium" />
          </div>
        )}
        empty={
          <EmptyState icon={BatteryCharging} title={t('now.none')}>
            {t('now.none.hint')}
          </EmptyState>
        }
      />
    </Panel>
  );
}
