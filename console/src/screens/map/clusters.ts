// Sites that lie close to each other on the screen become one mark: pure.
import type { Schemas } from '@/api/client';
import { NOTHING_THERE, type SiteNow } from '@/screens/sites/gather';
import { STATUSES, type Status } from '@/live/status';

export interface Placed {
  site: Schemas['Site'];
  longitude: number;
  latitude: number;
  now: SiteNow;
}

export interface Cluster {
  key: string;
  sites: Placed[];
  longitude: number;
  latitude: number;
  now: SiteNow;
}

const CELL = 76;

/** Where a place is on a map of so many pixels for the whole world (Web Mercator). */
function pixels(longitude: number, latitude: number, zoom: number): [number, number] {
  const size = 512 * 2 ** zoom;
  const sine = Math.sin((latitude * Math.PI) / 180);
  const y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  return [(longitude / 360 + 0.5) * size, y * size];
}

export function clustersOf(places: readonly Placed[], zoom: number): Cluster[] {
  const heads: { x: number; y: number; cluster: Cluster }[] = [];
  const inOrder = [...places].sort(
    (a, b) => b.now.stations - a.now.stations || (a.site.id < b.site.id ? -1 : 1),
  );
  for (const place of inOrder) {
    const [x, y] = pixels(place.longitude, place.latitude, zoom);
    const near = heads.find((head) => Math.hypot(head.x - x, head.y - y) < CELL);
    if (near) {
      near.cluster.sites.push(place);
      near.cluster.now = together(near.cluster.now, place.now);
    } else {
      heads.push({
        x,
        y,
        cluster: {
          key: place.site.id,
          sites: [place],
          longitude: place.longitude,
          latitude: place.latitude,
          now: place.now,
        },
      });
    }
  }
  return heads.map((head) => head.cluster);
}

function together(a: SiteNow, b: SiteNow): SiteNow {
  const sum = { ...NOTHING_THERE, counts: { ...a.counts } };
  for (const status of STATUSES) {
    const count = b.counts[status];
    if (count) sum.counts[status] = (sum.counts[status] ?? 0) + count;
  }
  sum.stations = a.stations + b.stations;
  sum.online = a.online + b.online;
  sum.charging = a.charging + b.charging;
  sum.evses = a.evses + b.evses;
  sum.powerW = a.powerW + b.powerW;
  return sum;
}

/** What needs a person there, if anything does. */
export function worstOf(now: SiteNow): Status | null {
  return now.counts.faulted ? 'faulted' : now.counts.offline ? 'offline' : null;
}
