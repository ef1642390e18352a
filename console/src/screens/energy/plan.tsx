// What is planned for the next day beside what was, and what energy costs meanwhile.
import { useQuery } from '@tanstack/react-query';
import { CalendarClock } from 'lucide-react';
import { useMemo } from 'react';
import { Problem } from '@/api/client';
import { clock, energy, joined, number, power } from '@/i18n/quantity';
import { KpiStrip } from '@/ui/kpi';
import { LazyPlot } from '@/ui/lazy-plot';
import { Panel } from '@/ui/page';
import type { PlotSeries } from '@/ui/plot';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { Expected } from './expected';
import { planEnd, planLines, priceLine, priceUnit } from './lines';
import { forecastQuery, historyQuery, liveQuery, planQuery } from './questions';
import { t } from './text';

const BACK_H = 12;

const SERIES: PlotSeries[] = [
  { label: t('plan.grid.actual'), colour: '--plot-1', stepped: true, fill: true },
  { label: t('plan.grid'), colour: '--plot-1', stepped: true, dashed: true },
  { label: t('plan.chargers.actual'), colour: '--plot-2', stepped: true },
  { label: t('plan.chargers'), colour: '--plot-2', stepped: true, dashed: true },
  { label: t('plan.solar'), colour: '--plot-limit', stepped: true, dashed: true },
  { label: t('plan.battery'), colour: '--plot-3', stepped: true, dashed: true },
  { label: t('plan.solar.high'), colour: '--plot-limit', stepped: true, band: true },
  { label: t('plan.solar.low'), colour: '--plot-limit', stepped: true },
];

export function Plan({ siteId }: { siteId: string }) {
  const plan = useQuery(planQuery(siteId));
  const past = useQuery(historyQuery(siteId, BACK_H, 900));
  const forecast = useQuery(forecastQuery(siteId));
  const now = useQuery(liveQuery(siteId));
  const lines = useMemo(
    () => (plan.data && past.data ? planLines(plan.data, past.data, forecast.data) : null),
    [plan.data, past.data, forecast.data],
  );
  const prices = useMemo(
    () => (plan.data && past.data ? priceLine(plan.data, past.data) : null),
    [plan.data, past.data],
  );
  const fault = plan.error ?? past.error;
  if (fault instanceof Problem && fault.status === 404) return <NoPlan />;
  if (fault) {
    return (
      <div className="panel">
        <ErrorState
          error={fault}
          onRetry={() => {
            void plan.refetch();
            void past.refetch();
          }}
        />
      </div>
    );
  }
  if (!plan.data || !lines || !prices) {
    return (
      <div className="panel">
        <LoadingRows rows={10} />
      </div>
    );
  }
  if (plan.data.starts_at.length === 0) return <NoPlan />;
  const from = Math.min(
    Math.max(lines.times[0] ?? 0, Date.now() / 1000 - BACK_H * 3600),
    Date.parse(plan.data.at) / 1000,
  );
  const to = planEnd(plan.data);
  const unmet = plan.data.evses.reduce((total, evse) => total + evse.unmet_wh, 0);
  const unit = priceUnit(plan.data.currency);
  return (
    <>
      <KpiStrip
        label={t('plan.figures')}
        figures={[
          {
            label: t('plan.cost'),
            value: number(plan.data.cost, 2),
            unit: plan.data.currency,
            note: t('plan.ahead'),
          },
          { label: t('plan.peak'), ...power(plan.data.peak_w), note: t('plan.ahead') },
          { label: t('plan.month'), ...power(now.data?.month_peak_w) },
          { label: t('plan.unmet'), ...energy(unmet), note: t('plan.unmet.note') },
          {
            label: t('plan.made'),
            value: clock(plan.data.at),
            note: t(plan.data.optimal ? 'plan.optimal' : 'plan.rough', {
              ms: number(plan.data.plan_ms),
            }),
          },
        ]}
      />
      <Panel
        title={t('plan.power')}
        note={t('plan.note', { peak: joined(power(plan.data.peak_w)) })}
      >
        <LazyPlot
          label={t('plan.power')}
          unit="kW"
          series={SERIES}
          data={lines}
          from={from}
          to={to}
          height={280}
          name={`energy-plan-${siteId}`}
        />
      </Panel>
      <Panel title={t('plan.price')} note={unit}>
        <LazyPlot
          label={t('plan.price')}
          unit={unit}
          series={[{ label: t('plan.price'), colour: '--plot-limit', stepped: true, decimals: 3 }]}
          data={prices}
          from={from}
          to={to}
          height={150}
          name={`energy-price-${siteId}`}
        />
      </Panel>
      {forecast.data && <Expected forecast={forecast.data} siteId={siteId} />}
    </>
  );
}

function NoPlan() {
  return (
    <div className="panel">
      <EmptyState icon={CalendarClock} title={t('plan.none')}>
        {t('plan.none.hint')}
      </EmptyState>
    </div>
  );
}
