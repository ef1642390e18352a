import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { stationQuery } from '@/api/queries';
import { absolute } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import { StationRelay } from '@/screens/security/relays';
import { ErrorState, LoadingRows } from '@/ui/states';
import { StationQuirks } from './quirks';
import { t } from './text';

export function StationDetails({ stationId }: { stationId: string }) {
  const station = useQuery(stationQuery(stationId));
  const site = useStation(stationId)?.site;
  if (station.isError)
    return <ErrorState error={station.error} onRetry={() => void station.refetch()} />;
  if (!station.data) return <LoadingRows />;
  const found = station.data;
  const lines: [string, ReactNode][] = [
    [t('detail.id'), found.id],
    [t('detail.name'), found.name],
    [t('detail.site'), site],
    [t('detail.vendor'), found.vendor],
    [t('detail.model'), found.model],
    [t('detail.serial'), found.serial_number],
    [t('detail.firmware'), found.firmware_version],
    [t('detail.firmware_status'), found.firmware_status],
    [t('detail.log_status'), found.log_status],
    [t('detail.ocpp'), found.ocpp_version],
    [t('detail.profile'), found.security_profile],
    [t('detail.admission'), t(`admission.${found.admission}`)],
    [
      t('detail.connected'),
      found.connected && found.connected_at ? absolute(found.connected_at) : null,
    ],
    [
      t('detail.booted'),
      found.booted_at &&
        `${absolute(found.booted_at)}${found.boot_reason && `, ${found.boot_reason}`}`,
    ],
    [t('detail.created'), absolute(found.created_at)],
    [t('detail.tags'), found.tags.join(', ')],
  ];
  return (
    <div
      role="region"
      aria-label={t('tab.details')}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto px-4 py-3 focus-visible:-outline-offset-2"
    >
      <dl className="grid gap-x-10 lg:grid-cols-2">
        {lines
          .filter(([, value]) => value != null && value !== '')
          .map(([label, value]) => (
            <div key={label} className="flex justify-between gap-4 border-b border-line py-1.5">
              <dt className="text-muted">{label}</dt>
              <dd className="min-w-0 text-right break-words tabular">{value}</dd>
            </div>
          ))}
      </dl>
      <StationQuirks stationId={stationId} />
      <StationRelay stationId={stationId} />
    </div>
  );
}
