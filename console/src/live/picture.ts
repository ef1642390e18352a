// The network at one moment, and how a tick changes it. Used by the feed (for pages that come later) and by the page.
import type { LiveFigures, LiveMatter, LiveStation, Snapshot, Tick } from './types';

export interface Picture {
  at: string;
  stations: Map<string, LiveStation>;
  kpi: LiveFigures;
  attention: LiveMatter[];
}

export function pictureOf(snapshot: Snapshot): Picture {
  return {
    at: snapshot.at,
    stations: new Map(snapshot.stations.map((station) => [station.id, station])),
    kpi: snapshot.kpi,
    attention: snapshot.attention,
  };
}

/** Change the picture by a tick and give the ids of the stations that it touched. Stations are replaced, never changed. */
export function applyTick(picture: Picture, tick: Tick): string[] {
  const touched: string[] = [];
  picture.at = tick.at;
  if (tick.stations) {
    for (const [id, fields] of Object.entries(tick.stations)) {
      const known = picture.stations.get(id);
      picture.stations.set(id, known ? { ...known, ...fields } : (fields as LiveStation));
      touched.push(id);
    }
  }
  for (const id of tick.removed ?? []) {
    if (picture.stations.delete(id)) touched.push(id);
  }
  if (tick.kpi) picture.kpi = { ...picture.kpi, ...tick.kpi };
  if (tick.attention) picture.attention = tick.attention;
  return touched;
}

/** Give the picture as a snapshot again, for a page that comes later. */
export function snapshotOf(picture: Picture, id: string): Snapshot {
  return {
    id,
    at: picture.at,
    stations: [...picture.stations.values()],
    kpi: picture.kpi,
    attention: picture.attention,
  };
}
