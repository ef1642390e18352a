// The lines of the plots: what was, what is planned, and prices, on one axis of time.
import { locale } from '@/i18n';
import type { PlotData } from '@/ui/plot';
import type { Schemas } from '@/api/client';

type EnergyPlan = Schemas['EnergyPlan'];
type Forecast = Schemas['EnergyForecast'];
type SiteOrigin = Schemas['SiteOrigin'];
type EnergyHistory = Schemas['EnergyHistory'];

const seconds = (at: string) => Date.parse(at) / 1000;
const kw = (watts: number | null | undefined) => (watts == null ? null : watts / 1000);

function sum(lists: Record<string, number[]>, index: number): number {
  return Object.values(lists).reduce((total, list) => total + (list[index] ?? 0), 0);
}

/** Actual grid and chargers, then planned grid, chargers, sun and battery, and the band of sun and wind; in kW. */
export function planLines(plan: EnergyPlan, past: EnergyHistory, forecast?: Forecast): PlotData {
  const before = past.items.filter((step) => seconds(step.at) < seconds(plan.at));
  const empty = before.map(() => null);
  const end = planEnd(plan);
  const held = (list: (number | null)[]) => [...list, list.at(-1) ?? null];
  const ahead = plan.starts_at.map(() => null);
  const planned = (give: (index: number) => number | undefined) =>
    [...empty, ...held(plan.starts_at.map((_, index) => kw(give(index))))] as (number | null)[];
  const actual = (give: (step: EnergyHistory['items'][number]) => number | null) => [
    ...before.map((step) => kw(give(step))),
    ...ahead,
    null,
  ];
  return {
    times: [...before.map((step) => seconds(step.at)), ...plan.starts_at.map(seconds), end],
    values: [
      actual((step) => step.grid_w),
      planned((index) => plan.grid_w[index]),
      actual((step) => step.chargers_w),
      planned((index) => plan.chargers_w[index]),
      planned((index) => sum(plan.generation_w, index)),
      planned((index) => sum(plan.battery_w, index)),
      planned((index) => generationAt(forecast, seconds(plan.starts_at[index] ?? ''), 'high')),
      planned((index) => generationAt(forecast, seconds(plan.starts_at[index] ?? ''), 'low')),
    ],
  };
}

/** The end of the band of sun and wind together at a moment; both are taken as high, or low, at once. */
function generationAt(
  forecast: Forecast | undefined,
  at: number,
  end: 'low' | 'high',
): number | undefined {
  const bands = forecast?.bands.filter((band) => ['solar_w', 'wind_w'].includes(band.target)) ?? [];
  const begin = forecast?.starts_at[0];
  if (!forecast || begin === undefined || bands.length === 0) return undefined;
  const index = Math.max(0, Math.floor((at - seconds(begin)) / forecast.step_s));
  const values = bands.map(
    (band) => (end === 'low' ? band.values[0] : band.values.at(-1))?.[index],
  );
  return values.some((value) => value === undefined)
    ? undefined
    : values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

/** What is expected of one quantity: the high end, the median, the low end. `scale` divides. */
export function bandLines(forecast: Forecast, target: string, scale: number): PlotData | null {
  const band = forecast.bands.find((each) => each.target === target);
  const begin = forecast.starts_at[0];
  if (!band || begin === undefined) return null;
  const middle = band.quantiles.indexOf(0.5);
  const held = (values: number[] | undefined) =>
    [...(values ?? []), values?.at(-1) ?? null].map((value) =>
      value === null ? null : value / scale,
    );
  return {
    times: [
      ...forecast.starts_at.map(seconds),
      seconds(begin) + forecast.starts_at.length * forecast.step_s,
    ],
    values: [held(band.values.at(-1)), held(band.values[0]), held(band.values[middle])],
  };
}

const SOURCES = ['solar_wh', 'wind_wh', 'battery_wh', 'grid_wh'] as const;

/** What sessions took, by where it came from: mean power in kW over each step. */
export function originLines(origin: SiteOrigin): PlotData {
  const perKw = 1000 * (origin.step_s / 3600);
  const last = origin.items.at(-1);
  const ends = last ? [seconds(last.at) + origin.step_s] : [];
  return {
    times: [...origin.items.map((step) => seconds(step.at)), ...ends],
    values: SOURCES.map((source) => {
      const list = origin.items.map((step) => step.sessions[source] / perKw);
      return last ? [...list, list.at(-1) ?? null] : list;
    }),
  };
}

/** The sums of sessions and of the site over all steps; grams are null where nothing is known. */
export function originSums(origin: SiteOrigin) {
  const sums = {
    taken: 0,
    renewable: 0,
    known: 0,
    grams: null as number | null,
    used: 0,
    siteRenewable: 0,
  };
  for (const { sessions, site } of origin.items) {
    sums.taken += sessions.energy_wh;
    sums.known += sessions.energy_wh - sessions.unknown_wh;
    sums.renewable += sessions.renewable_wh;
    if (sessions.co2_g !== null) sums.grams = (sums.grams ?? 0) + sessions.co2_g;
    sums.used += site.energy_wh - site.unknown_wh;
    sums.siteRenewable += site.renewable_wh;
  }
  return sums;
}

export function planEnd(plan: EnergyPlan): number {
  const last = plan.starts_at.at(-1);
  return (last ? seconds(last) : seconds(plan.at)) + (plan.steps_s.at(-1) ?? 0);
}

/** What energy costs, before and ahead. */
export function priceLine(plan: EnergyPlan, past: EnergyHistory): PlotData {
  const before = past.items.filter((step) => seconds(step.at) < seconds(plan.at));
  return {
    times: [
      ...before.map((step) => seconds(step.at)),
      ...plan.starts_at.map(seconds),
      planEnd(plan),
    ],
    values: [
      [
        ...before.map((step) => step.price_per_kwh),
        ...plan.price_per_kwh,
        plan.price_per_kwh.at(-1) ?? null,
      ],
    ],
  };
}

/** How far apart moments usually are; what was recorded may be coarser than what was asked for. */
function usualStep(times: number[], least: number): number {
  const steps = times.slice(1).map((at, index) => at - (times[index] ?? at));
  steps.sort((a, b) => a - b);
  return Math.max(least, steps[Math.floor(steps.length / 2)] ?? least);
}

/** Means of the past; where steps are missing there is a gap. */
export function historyLines(past: EnergyHistory): PlotData {
  const usual = usualStep(
    past.items.map((step) => seconds(step.at)),
    past.step_s,
  );
  const times: number[] = [];
  const values: (number | null)[][] = [[], [], [], [], [], []];
  const add = (at: number, row: (number | null)[]) => {
    times.push(at);
    row.forEach((value, index) => values[index]?.push(value));
  };
  let last: number | null = null;
  for (const step of past.items) {
    const at = seconds(step.at);
    if (last !== null && at - last > usual * 1.5) {
      add(last + usual, [null, null, null, null, null, null]);
    }
    add(at, [
      kw(step.grid_w),
      kw(step.chargers_w),
      step.solar_w === null && step.wind_w === null
        ? null
        : kw((step.solar_w ?? 0) + (step.wind_w ?? 0)),
      kw(step.battery_w),
      kw(step.base_w),
      step.battery_soc_percent,
    ]);
    last = at;
  }
  if (last !== null) {
    add(
      last + past.step_s,
      values.map((list) => list.at(-1) ?? null),
    );
  }
  return { times, values };
}

/** `€/kWh`: the sign of a currency is short enough for an axis. */
export function priceUnit(currency: string): string {
  const part = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
  })
    .formatToParts(0)
    .find((each) => each.type === 'currency');
  return `${part?.value ?? currency}/kWh`;
}
