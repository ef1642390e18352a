// What is expected at the site, as bands; how far that can be believed; and how long cars stay.
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { absolute, joined, number, percent } from '@/i18n/quantity';
import { LazyPlot } from '@/ui/lazy-plot';
import { Panel } from '@/ui/page';
import type { PlotSeries } from '@/ui/plot';
import { EmptyState } from '@/ui/states';
import { bandLines } from './lines';
import type { Forecast } from './questions';
import { t } from './text';

type Model = Forecast['models'][number];

const band = (colour: string): PlotSeries[] => [
  { label: t('expected.high'), colour, stepped: true, band: true },
  { label: t('expected.low'), colour, stepped: true },
  { label: t('expected.middle'), colour, stepped: true, dashed: true },
];

const SHOWN = [
  { target: 'solar_w', colour: '--plot-limit', scale: 1000, unit: 'kW' },
  { target: 'wind_w', colour: '--plot-3', scale: 1000, unit: 'kW' },
  { target: 'base_w', colour: '--plot-1', scale: 1000, unit: 'kW' },
  { target: 'arrivals', colour: '--plot-2', scale: 1, unit: '/h' },
] as const;

export function Expected({ forecast, siteId }: { forecast: Forecast; siteId: string }) {
  if (forecast.models.length === 0) {
    return (
      <Panel title={t('expected')}>
        <EmptyState title={t('expected.none')}>{t('expected.none.hint')}</EmptyState>
      </Panel>
    );
  }
  return (
    <>
      {SHOWN.map((each) => (
        <Band key={each.target} forecast={forecast} siteId={siteId} {...each} />
      ))}
      <Panel
        title={t('expected.models')}
        note={forecast.made_at ? t('expected.made', { at: absolute(forecast.made_at) }) : undefined}
        actions={
          <Link
            to="/energy/$siteId"
            params={{ siteId }}
            search={{ tab: 'circuits' }}
            className="inline-flex min-h-6 items-center text-xs text-accent hover:underline"
          >
            {t('policy.edit')}
          </Link>
        }
      >
        <Models models={forecast.models} />
      </Panel>
      {forecast.stays.length > 0 && (
        <Panel title={t('expected.stays')} note={t('expected.stays.note')}>
          <Stays forecast={forecast} />
        </Panel>
      )}
    </>
  );
}

function Band({
  forecast,
  siteId,
  target,
  colour,
  scale,
  unit,
}: {
  forecast: Forecast;
  siteId: string;
} & (typeof SHOWN)[number]) {
  const lines = useMemo(() => bandLines(forecast, target, scale), [forecast, target, scale]);
  const series = useMemo(() => band(colour), [colour]);
  if (!lines || lines.values.every((list) => list.every((value) => !value))) return null;
  return (
    <Panel title={t(`expected.${target}`)} note={t('expected.band')}>
      <LazyPlot
        label={t(`expected.${target}`)}
        unit={unit}
        series={series}
        data={lines}
        height={150}
        name={`energy-expected-${target}-${siteId}`}
      />
    </Panel>
  );
}

/** Errors in the units that people use. */
function sayError(target: string, value: number | undefined): string {
  if (value === undefined) return '–';
  if (target === 'stay_h') return `${number(value, 1)}\u00a0h`;
  if (target === 'energy_wh') return `${number(value / 1000, 1)}\u00a0kWh`;
  if (target === 'arrivals') return `${number(value, 2)}\u00a0/h`;
  return `${number(value / 1000, 2)}\u00a0kW`;
}

const inPercent = (share: number | undefined) => (share === undefined ? null : share * 100);

function Models({ models }: { models: Model[] }) {
  const heads = ['target', 'method', 'samples', 'error', 'plain', 'inside'] as const;
  return (
    <div
      role="region"
      aria-label={t('expected.models')}
      tabIndex={0}
      className="min-w-0 overflow-x-auto"
    >
      <table className="w-full text-left tabular">
        <thead className="text-xs text-muted">
          <tr>
            {heads.map((head) => (
              <th key={head} className="py-1 pr-4 font-medium whitespace-nowrap">
                {t(`expected.column.${head}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.target} className="border-t border-line">
              <td className="py-1.5 pr-4">{t(`expected.${model.target as Target}`)}</td>
              <td className="py-1.5 pr-4">
                {t(`expected.method.${model.method as Method}`, { needed: model.needed })}
              </td>
              <td className="py-1.5 pr-4">{number(model.samples)}</td>
              <td className="py-1.5 pr-4">
                {sayError(model.target, model.errors[model.method]?.mae)}
              </td>
              <td className="py-1.5 pr-4">{sayError(model.target, model.errors['plain']?.mae)}</td>
              <td className="py-1.5 pr-4">
                {joined(percent(inPercent(model.errors[model.method]?.inside)))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Target = 'base_w' | 'solar_w' | 'wind_w' | 'arrivals' | 'stay_h' | 'energy_wh';
type Method = 'boosted' | 'plain' | 'none';

function Stays({ forecast }: { forecast: Forecast }) {
  const at = (quantile: number) => forecast.stay_quantiles.indexOf(quantile);
  const range = (values: number[], scale: number, unit: string) => {
    const [low, middle, high] = [0.1, 0.5, 0.9].map((each) => (values[at(each)] ?? 0) / scale);
    return values.length === 0
      ? '–'
      : t('expected.range', {
          middle: `${number(middle ?? 0, 1)}\u00a0${unit}`,
          low: number(low ?? 0, 1),
          high: number(high ?? 0, 1),
        });
  };
  return (
    <div
      role="region"
      aria-label={t('expected.stays')}
      tabIndex={0}
      className="max-h-72 overflow-auto"
    >
      <table className="w-full text-left tabular">
        <thead className="sticky top-0 bg-surface text-xs text-muted">
          <tr>
            <th className="py-1 pr-4 font-medium">{t('expected.hour')}</th>
            <th className="py-1 pr-4 font-medium">{t('expected.stay_h')}</th>
            <th className="py-1 pr-4 font-medium">{t('expected.energy_wh')}</th>
          </tr>
        </thead>
        <tbody>
          {forecast.stays.map((each) => (
            <tr key={each.hour} className="border-t border-line">
              <td className="py-1 pr-4">{`${String(each.hour).padStart(2, '0')}:00`}</td>
              <td className="py-1 pr-4">{range(each.stay_h ?? [], 1, 'h')}</td>
              <td className="py-1 pr-4">{range(each.energy_wh ?? [], 1000, 'kWh')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
