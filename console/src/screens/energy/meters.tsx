// The meters that the kept tree names, with what they said last.
import { useQuery } from '@tanstack/react-query';
import { joined, number, percent, power } from '@/i18n/quantity';
import { Ago } from '@/ui/live';
import { Panel } from '@/ui/page';
import { ErrorState, LoadingRows } from '@/ui/states';
import { metersQuery } from './questions';
import { t } from './text';

export function Meters({ siteId }: { siteId: string }) {
  const meters = useQuery(metersQuery(siteId));
  return (
    <Panel title={t('meters')}>
      {meters.isError ? (
        <ErrorState error={meters.error} onRetry={() => void meters.refetch()} />
      ) : meters.isPending ? (
        <LoadingRows rows={3} />
      ) : meters.data.length === 0 ? (
        <p className="text-muted">{t('meters.none')}</p>
      ) : (
        <ul className="flex flex-col divide-y divide-line">
          {meters.data.map((meter) => (
            <li key={meter.name} className="flex flex-wrap items-baseline gap-x-3 py-1.5">
              <span className="font-medium">{meter.name}</span>
              <span className="flex-1 text-xs text-muted">
                {t('meters.of', { places: meter.measures.join(', ') })}
              </span>
              <span className="tabular">
                {[
                  meter.power_w === null ? '' : joined(power(meter.power_w)),
                  meter.current_a === null
                    ? ''
                    : `${meter.current_a.map((each) => number(each, 1)).join(' / ')}\u00a0A`,
                  meter.soc_percent === null ? '' : joined(percent(meter.soc_percent)),
                ]
                  .filter(Boolean)
                  .join(', ')}
              </span>
              <span className="text-xs text-muted">
                {meter.at ? <Ago at={meter.at} /> : t('meters.never')}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
