import { describe, expect, it } from 'vitest';
import { bandLines, historyLines, originLines, originSums, planLines } from './lines';
import { isShare, STAY_USES } from './policy';
import type { Forecast, SiteOrigin } from './questions';

const AT = Date.UTC(2030, 0, 1) / 1000;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

const forecast: Forecast = {
  site_id: 'x',
  made_at: iso(AT),
  starts_at: [iso(AT), iso(AT + 3600)],
  step_s: 3600,
  bands: [
    {
      target: 'solar_w',
      quantiles: [0.1, 0.5, 0.9],
      values: [
        [1000, 2000],
        [3000, 4000],
        [5000, 6000],
      ],
    },
  ],
  stay_quantiles: [],
  stays: [],
  models: [],
};

const origin = (solar: number, grid: number, grams: number | null) => ({
  energy_wh: solar + grid,
  solar_wh: solar,
  wind_wh: 0,
  battery_wh: 0,
  grid_wh: grid,
  unknown_wh: 0,
  renewable_wh: solar,
  renewable_percent: 50,
  co2_g: grams,
  co2_known_wh: grid,
  marginal_co2_g: null,
  marginal_co2_known_wh: 0,
});

describe('lines of energy', () => {
  it('draws a band as its upper end, its lower end and the median, up to the end of the last hour', () => {
    expect(bandLines(forecast, 'solar_w', 1000)).toEqual({
      times: [AT, AT + 3600, AT + 7200],
      values: [
        [5, 6, 6],
        [1, 2, 2],
        [3, 4, 4],
      ],
    });
    expect(bandLines(forecast, 'wind_w', 1000)).toBeNull();
  });

  it('gives the plan the band of the hour in which each of its steps begins', () => {
    const plan = {
      at: iso(AT + 300),
      starts_at: [iso(AT + 300), iso(AT + 3600)],
      steps_s: [3300, 900],
      grid_w: [0, 0],
      chargers_w: [0, 0],
      generation_w: {},
      battery_w: {},
    } as unknown as Parameters<typeof planLines>[0];
    const lines = planLines(plan, { step_s: 900, items: [] }, forecast);
    expect(lines.values.slice(-2)).toEqual([
      [5, 6, 6],
      [1, 2, 2],
    ]);
    expect(planLines(plan, { step_s: 900, items: [] }).values.at(-1)).toEqual([null, null, null]);
  });

  it('sums where the energy came from, with grams only where some are known', () => {
    const step = (at: number, grams: number | null) => ({
      at: iso(at),
      site: origin(3000, 3000, grams),
      sessions: origin(1000, 500, grams),
      rest: origin(2000, 2500, grams),
    });
    const found: SiteOrigin = { step_s: 1800, items: [step(AT, null), step(AT + 1800, 150)] };
    expect(originSums(found)).toEqual({
      taken: 3000,
      renewable: 2000,
      known: 3000,
      grams: 150,
      used: 12000,
      siteRenewable: 6000,
    });
    const lines = originLines(found);
    expect(lines.times).toEqual([AT, AT + 1800, AT + 3600]);
    expect(lines.values[0]).toEqual([2, 2, 2]);
  });
});

describe('what the plan makes of forecasts', () => {
  it('keeps the bounds of the server', () => {
    expect([0.04, 0.05, 0.9, 0.91].map((each) => isShare('departure', each))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(isShare('energy', 0.95)).toBe(true);
    expect(STAY_USES).toContain('instead');
  });
});

describe('the past', () => {
  const past = (times: number[], stepS: number) =>
    historyLines({
      step_s: stepS,
      items: times.map((at) => ({
        at: iso(at),
        grid_w: 1000,
        chargers_w: 0,
        solar_w: null,
        wind_w: null,
        battery_w: null,
        battery_soc_percent: null,
        base_w: null,
        highest_grid_w: null,
        price_per_kwh: null,
      })),
    }).times;

  it('has a gap where steps are missing', () => {
    expect(past([AT, AT + 300, AT + 1500, AT + 1800], 300)).toEqual([
      AT,
      AT + 300,
      AT + 600,
      AT + 1500,
      AT + 1800,
      AT + 2100,
    ]);
  });

  it('has none only because it was recorded more coarsely than it is asked for', () => {
    const quarters = [0, 1, 2, 3, 4].map((index) => AT + index * 900);
    expect(past([...quarters, AT + 3900], 300)).toEqual([...quarters, AT + 3900, AT + 4200]);
  });
});
