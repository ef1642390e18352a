// Places on the time line: pure.
import type { Schemas } from '@/api/client';

export type Reservation = Schemas['Reservation'];

export interface Lane {
  key: string;
  stationId: string;
  /** Null: anywhere at the station. */
  evse: number | null;
  bars: { reservation: Reservation; left: number; width: number; row: number }[];
  rows: number;
}

/** When a reservation ends on the line: at once when it was given up or used. */
export function endOf(reservation: Reservation): number {
  const until = new Date(reservation.until_at).getTime();
  if (reservation.ended_at === null) return until;
  return Math.min(until, new Date(reservation.ended_at).getTime());
}

/** One lane per station and EVSE; what would lie over another goes a row lower. */
export function lanesOf(all: readonly Reservation[], from: number, to: number): Lane[] {
  const lanes = new Map<string, Lane & { ends: number[] }>();
  const length = to - from;
  const inOrder = [...all].sort((a, b) => (a.from_at < b.from_at ? -1 : 1));
  for (const reservation of inOrder) {
    const start = new Date(reservation.from_at).getTime();
    const end = Math.max(endOf(reservation), start + length / 200);
    if (end <= from || start >= to) continue;
    const evse = reservation.evse_id ?? reservation.placed_evse_id;
    const key = `${reservation.station_id} ${evse ?? ''}`;
    let lane = lanes.get(key);
    if (!lane) {
      lane = { key, stationId: reservation.station_id, evse, bars: [], rows: 0, ends: [] };
      lanes.set(key, lane);
    }
    let row = lane.ends.findIndex((each) => each <= start);
    if (row < 0) row = lane.ends.length;
    lane.ends[row] = end;
    lane.rows = Math.max(lane.rows, row + 1);
    const left = Math.max(0, (start - from) / length);
    const right = Math.min(1, (end - from) / length);
    lane.bars.push({ reservation, left, width: right - left, row });
  }
  return [...lanes.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Moments for the axis: whole hours, or midnights on a long line. */
export function ticksOf(from: number, to: number): number[] {
  const hours = (to - from) / 3_600_000;
  const step = hours <= 6 ? 1 : hours <= 24 ? 3 : 24;
  const at = new Date(from);
  at.setMinutes(0, 0, 0);
  if (step === 24) at.setHours(0);
  else at.setHours(at.getHours() - (at.getHours() % step));
  const ticks: number[] = [];
  while (at.getTime() < to) {
    if (at.getTime() >= from) ticks.push(at.getTime());
    at.setHours(at.getHours() + step);
  }
  return ticks;
}
