// Every station as a mark, grouped by site; on a phone a bar. Beyond a few hundred stations it is drawn on a canvas.
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useLive, useStations } from '@/live/hooks';
import { statusOf, urgency, type Status } from '@/live/status';
import type { LiveStation } from '@/live/types';
import { Panel } from '@/ui/page';
import { LoadingRows } from '@/ui/states';
import { StatusIcon, statusWord } from '@/ui/status';
import { StatusBar, StatusLegend, type Counts } from '@/ui/status-bar';
import { StatusCanvas } from './status-canvas';
import { t } from './text';

const MOST_LINKS = 300;

export interface SiteGroup {
  key: string;
  name: string;
  siteId: string | null;
  stations: LiveStation[];
}

export function groupBySite(stations: LiveStation[]): SiteGroup[] {
  const groups = new Map<string, SiteGroup>();
  for (const station of stations) {
    const key = station.site_id ?? '';
    let group = groups.get(key);
    if (!group) {
      group = { key, name: station.site ?? t('sites.none'), siteId: station.site_id, stations: [] };
      groups.set(key, group);
    }
    group.stations.push(station);
  }
  const found = [...groups.values()].sort((a, b) =>
    a.siteId === null ? 1 : b.siteId === null ? -1 : a.name < b.name ? -1 : 1,
  );
  for (const group of found) {
    group.stations.sort((a, b) => urgency(a.status) - urgency(b.status) || (a.id < b.id ? -1 : 1));
  }
  return found;
}

function count(stations: LiveStation[]): Counts {
  const counts: Counts = {};
  for (const station of stations) {
    const status: Status = statusOf(station.status);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

export function SiteStatus() {
  const ready = useLive((store) => store.ready);
  const many = useLive((store) => (store.kpi?.total ?? 0) > 2000);
  const stations = useStations(many ? 4000 : 1000);
  const groups = useMemo(() => groupBySite(stations), [stations]);
  const counts = useMemo(() => count(stations), [stations]);
  return (
    <Panel
      flush
      title={t('sites')}
      note={<span className="max-sm:hidden">{t('sites.note')}</span>}
      className="sm:min-h-64"
    >
      {!ready ? (
        <LoadingRows />
      ) : (
        <>
          <div className="px-4 pb-3">
            <StatusBar counts={counts} />
            <div className="pt-2 text-xs">
              <StatusLegend counts={counts} />
            </div>
          </div>
          <div
            role="region"
            aria-label={t('sites')}
            tabIndex={0}
            className="min-h-0 flex-1 overflow-y-auto border-t border-line px-4 py-3 focus-visible:-outline-offset-2 max-sm:hidden"
          >
            {stations.length <= MOST_LINKS ? (
              <ul className="flex flex-col gap-2.5">
                {groups.map((group) => (
                  <SiteRow key={group.key} group={group} />
                ))}
              </ul>
            ) : (
              <StatusCanvas groups={groups} />
            )}
          </div>
        </>
      )}
    </Panel>
  );
}

function SiteRow({ group }: { group: SiteGroup }) {
  return (
    <li className="flex items-start gap-4">
      <Link
        to="/stations"
        search={group.siteId ? { site: group.siteId } : {}}
        className="w-44 shrink-0 truncate leading-6 hover:underline"
        title={t('sites.summary', { site: group.name, count: group.stations.length })}
      >
        {group.name}
      </Link>
      <ul className="flex min-w-0 flex-1 flex-wrap gap-1" aria-label={group.name}>
        {group.stations.map((station) => (
          <li key={station.id}>
            <Link
              to="/stations/$stationId"
              params={{ stationId: station.id }}
              preload={false}
              title={`${station.name || station.id}: ${statusWord(station.status)}`}
              aria-label={`${station.name || station.id}: ${statusWord(station.status)}`}
              className="flex size-6 items-center justify-center rounded-[5px] bg-sunken hover:bg-hover hover:shadow-[0_0_0_1px_var(--line-strong)]"
            >
              <StatusIcon status={statusOf(station.status)} size={13} />
            </Link>
          </li>
        ))}
      </ul>
    </li>
  );
}
