// Where the energy of the site's sessions came from, and what it emitted.
import { useQuery } from '@tanstack/react-query';
import { Leaf } from 'lucide-react';
import { useMemo } from 'react';
import { energy, mass, percent } from '@/i18n/quantity';
import { KpiStrip } from '@/ui/kpi';
import { LazyPlot } from '@/ui/lazy-plot';
import { Panel } from '@/ui/page';
import type { PlotSeries } from '@/ui/plot';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { originLines, originSums } from './lines';
import { originQuery } from './questions';
import { t } from './text';

const SERIES: PlotSeries[] = [
  { label: t('flow.solar'), colour: '--plot-limit', stepped: true },
  { label: t('flow.wind'), colour: '--faint', stepped: true },
  { label: t('flow.battery'), colour: '--plot-3', stepped: true },
  { label: t('flow.grid'), colour: '--plot-1', stepped: true },
];

export function OriginOfEnergy({
  siteId,
  hours,
  stepS,
}: {
  siteId: string;
  hours: number;
  stepS: number;
}) {
  const origin = useQuery(originQuery(siteId, hours, stepS));
  const lines = useMemo(() => (origin.data ? originLines(origin.data) : null), [origin.data]);
  const sums = useMemo(() => (origin.data ? originSums(origin.data) : null), [origin.data]);
  if (origin.isError || !lines || !sums) {
    return (
      <Panel title={t('origin')}>
        {origin.isError ? (
          <ErrorState error={origin.error} onRetry={() => void origin.refetch()} />
        ) : (
          <LoadingRows rows={6} />
        )}
      </Panel>
    );
  }
  if (lines.times.length === 0) {
    return (
      <Panel title={t('origin')}>
        <EmptyState icon={Leaf} title={t('origin.none')}>
          {t('origin.none.hint')}
        </EmptyState>
      </Panel>
    );
  }
  return (
    <>
      <KpiStrip
        label={t('origin.figures')}
        figures={[
          { label: t('origin.taken'), ...energy(sums.taken) },
          {
            label: t('origin.renewable'),
            ...percent(sums.known > 0 ? (sums.renewable / sums.known) * 100 : null),
            note: t('origin.renewable.note'),
          },
          { label: t('origin.co2'), ...mass(sums.grams), note: t('origin.co2.note') },
          {
            label: t('origin.site'),
            ...percent(sums.used > 0 ? (sums.siteRenewable / sums.used) * 100 : null),
            note: t('origin.renewable.note'),
          },
        ]}
      />
      <Panel title={t('origin')} note={t('origin.note')}>
        <LazyPlot
          label={t('origin')}
          unit="kW"
          series={SERIES}
          data={lines}
          height={220}
          name={`energy-origin-${siteId}`}
        />
      </Panel>
    </>
  );
}
