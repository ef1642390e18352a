import { Link, useNavigate } from '@tanstack/react-router';
import { PlugZap } from 'lucide-react';
import { useMemo } from 'react';
import { t } from '@/screens/sites/text';
import { useColumns } from '@/screens/stations/columns';
import { StationLine } from '@/screens/stations/station-line';
import { useLive, useStations } from '@/live/hooks';
import { urgency } from '@/live/status';
import { DataTable } from '@/ui/data-table';
import { EmptyState } from '@/ui/states';

/** The stations of a site as they are now, those that need a person first. */
export function SiteStations({ siteId }: { siteId: string }) {
  const navigate = useNavigate();
  const ready = useLive((store) => store.ready);
  const stations = useStations(1000);
  const all = useColumns();
  const columns = useMemo(() => all.filter((column) => column.id !== 'site'), [all]);
  const rows = useMemo(
    () =>
      stations
        .filter((station) => station.site_id === siteId)
        .sort((a, b) => urgency(a.status) - urgency(b.status) || (a.id < b.id ? -1 : 1)),
    [stations, siteId],
  );
  return (
    <DataTable
      label={t('stations.here')}
      rows={rows}
      rowKey={(station) => station.id}
      columns={columns}
      freeze
      loading={!ready}
      onOpen={(station) =>
        void navigate({ to: '/stations/$stationId', params: { stationId: station.id } })
      }
      phoneRow={(station) => <StationLine id={station.id} />}
      empty={
        <EmptyState
          icon={PlugZap}
          title={t('stations.none')}
          action={
            <Link to="/stations" className="text-accent underline">
              {t('stations.go')}
            </Link>
          }
        >
          {t('stations.none.hint')}
        </EmptyState>
      }
    />
  );
}
