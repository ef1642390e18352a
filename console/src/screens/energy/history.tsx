// What flowed in the past.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChartLine } from 'lucide-react';
import { useMemo } from 'react';
import { classes } from '@/ui/classes';
import { LazyPlot } from '@/ui/lazy-plot';
import { Panel } from '@/ui/page';
import type { PlotSeries } from '@/ui/plot';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { historyLines } from './lines';
import { OriginOfEnergy } from './origin';
import { historyQuery } from './questions';
import { SPANS, siteEnergyRoute } from './route';
import { t } from './text';

const HOURS = { day: 24, week: 168, month: 720 };
const STEP_S = { day: 300, week: 1800, month: 7200 };

const SERIES: PlotSeries[] = [
  { label: t('flow.grid'), colour: '--plot-1', stepped: true, fill: true },
  { label: t('flow.chargers'), colour: '--plot-2', stepped: true },
  { label: t('history.renewable'), colour: '--plot-limit', stepped: true },
  { label: t('flow.battery'), colour: '--plot-3', stepped: true },
  { label: t('flow.base'), colour: '--faint', stepped: true },
  { label: t('history.soc'), colour: '--plot-3', dashed: true, stepped: true, rightUnit: '%' },
];

export function History({ siteId }: { siteId: string }) {
  const { span = 'day' } = siteEnergyRoute.useSearch();
  const past = useQuery(historyQuery(siteId, HOURS[span], STEP_S[span]));
  const lines = useMemo(() => (past.data ? historyLines(past.data) : null), [past.data]);
  return (
    <>
      <Panel
        title={t('history')}
        actions={
          <nav aria-label={t('history.span')} className="flex rounded-md border border-line p-0.5">
            {SPANS.map((each) => (
              <Link
                key={each}
                to="."
                search={(before: Record<string, unknown>) => ({
                  ...before,
                  span: each === 'day' ? undefined : each,
                })}
                activeOptions={{ explicitUndefined: true }}
                replace
                aria-current={each === span ? 'true' : undefined}
                className={classes(
                  'h-[26px] rounded px-2.5 leading-[26px] whitespace-nowrap',
                  each === span ? 'bg-hover font-medium' : 'text-muted hover:text-text',
                )}
              >
                {t(`history.${each}`)}
              </Link>
            ))}
          </nav>
        }
      >
        {past.isError ? (
          <ErrorState error={past.error} onRetry={() => void past.refetch()} />
        ) : !lines ? (
          <LoadingRows rows={8} />
        ) : lines.times.length === 0 ? (
          <EmptyState icon={ChartLine} title={t('history.none')}>
            {t('history.none.hint')}
          </EmptyState>
        ) : (
          <LazyPlot
            label={t('history')}
            unit="kW"
            series={SERIES}
            data={lines}
            from={Math.max(Date.now() / 1000 - HOURS[span] * 3600, lines.times[0] ?? 0)}
            to={Date.now() / 1000}
            height={340}
            name={`energy-history-${siteId}`}
          />
        )}
      </Panel>
      <OriginOfEnergy siteId={siteId} hours={HOURS[span]} stepS={Math.max(900, STEP_S[span])} />
    </>
  );
}
