// What a site may do with its forecasts, with the bounds that the server sets. Pure.
import type { Schemas } from '@/api/client';

export type StayUse = NonNullable<Schemas['ForecastGiven']['departures']>;

export const STAY_USES = ['off', 'missing', 'instead'] as const satisfies readonly StayUse[];

const BOUNDS = { departure: [0.05, 0.9], energy: [0.05, 0.95] } as const;

/** Whether the server takes a quantile. */
export function isShare(of: keyof typeof BOUNDS, value: number): boolean {
  const [least, most] = BOUNDS[of];
  return value >= least && value <= most;
}
