// What the live picture says of each site: pure.
import { statusOf } from '@/live/status';
import type { LiveStation } from '@/live/types';
import type { Counts } from '@/ui/status-bar';

export interface SiteNow {
  stations: number;
  online: number;
  charging: number;
  evses: number;
  powerW: number;
  counts: Counts;
}

export const NOTHING_THERE: SiteNow = {
  stations: 0,
  online: 0,
  charging: 0,
  evses: 0,
  powerW: 0,
  counts: {},
};

export function gatherSites(stations: LiveStation[]): Map<string, SiteNow> {
  const sites = new Map<string, SiteNow>();
  for (const station of stations) {
    if (!station.site_id) continue;
    let site = sites.get(station.site_id);
    if (!site) {
      site = { ...NOTHING_THERE, counts: {} };
      sites.set(station.site_id, site);
    }
    site.stations += 1;
    if (station.connected) site.online += 1;
    site.evses += station.evses.length;
    site.charging += station.evses.filter((evse) => evse.status === 'charging').length;
    site.powerW += station.power_w;
    const status = statusOf(station.status);
    site.counts[status] = (site.counts[status] ?? 0) + 1;
  }
  return sites;
}
