// Charging profiles as a station tells them, and the steps that are drawn of them.
import type { PlotData } from '@/ui/plot';

export interface Period {
  start_s: number;
  limit: number;
  number_phases?: number | null;
}

export interface Schedule {
  unit: 'a' | 'w';
  periods: Period[];
  start_at?: string | null;
  duration_s?: number | null;
}

export interface Profile {
  id: number;
  evse_id: number;
  source: string;
  purpose: string;
  stack_level: number;
  kind: string;
  schedules: Schedule[];
  valid_from?: string | null;
  valid_to?: string | null;
}

export const DAY_S = 86_400;

/** Read what `get_charging_profiles` found; what is none is left out. */
export function profilesOf(result: Record<string, unknown>): Profile[] {
  const found = Array.isArray(result['profiles']) ? (result['profiles'] as Partial<Profile>[]) : [];
  return found
    .filter((each): each is Profile => Array.isArray(each.schedules) && each.purpose !== undefined)
    .toSorted((a, b) => a.evse_id - b.evse_id || b.stack_level - a.stack_level);
}

/** Read a composite schedule; null when the station gave none. */
export function compositeOf(result: Record<string, unknown>): Schedule | null {
  const limits = result['limits'] as Schedule | undefined;
  return limits && Array.isArray(limits.periods) ? limits : null;
}

/** The steps of a schedule from `from` on (seconds since 1970), in A or kW, held until its end. */
export function stepsOf(schedule: Schedule, from: number, mostS = DAY_S): PlotData {
  const begin = schedule.start_at ? Date.parse(schedule.start_at) / 1000 : from;
  const scale = schedule.unit === 'w' ? 1000 : 1;
  const last = schedule.periods.at(-1);
  const lengthS = Math.max(schedule.duration_s ?? mostS, (last?.start_s ?? 0) + 60);
  const times = schedule.periods.map((period) => begin + period.start_s);
  const values = schedule.periods.map((period) => period.limit / scale);
  return {
    times: [...times, begin + lengthS],
    values: [[...values, values.at(-1) ?? null]],
  };
}
