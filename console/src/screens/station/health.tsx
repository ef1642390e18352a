// How well a station has worked for thirty days, in a few words for its head.
import { useQuery } from '@tanstack/react-query';
import { api, data } from '@/api/client';
import { joined, percent } from '@/i18n/quantity';
import { t } from './records-text';

export function Uptime({ stationId }: { stationId: string }) {
  const health = useQuery({
    queryKey: ['station', stationId, 'health'],
    queryFn: () =>
      data(
        api.GET('/api/v1/stations/{station_id}/health', {
          params: { path: { station_id: stationId } },
        }),
      ),
    staleTime: 300_000,
  });
  const found = health.data;
  if (found?.nevi_percent == null) return null;
  return (
    <span className="tabular" title={t('uptime.hint')}>
      {t('uptime', { percent: joined(percent(found.nevi_percent, 1)) })}
      {found.flapping && <span className="ml-2 text-warning">{t('flapping')}</span>}
    </span>
  );
}
