import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { List, MapPin, MapPinOff, X } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { sitesQuery } from '@/api/queries';
import { number, power } from '@/i18n/quantity';
import { useLive, useStations } from '@/live/hooks';
import { STATUSES, type Status } from '@/live/status';
import { countryName } from '@/screens/sites/country';
import { gatherSites, NOTHING_THERE } from '@/screens/sites/gather';
import { IconButton } from '@/ui/button';
import { Select } from '@/ui/fields';
import { Figure } from '@/ui/live';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { statusColour, StatusIcon } from '@/ui/status';
import { StatusBar, StatusLegend } from '@/ui/status-bar';
import { tUi } from '@/ui/text';
import { clustersOf, worstOf, type Cluster, type Placed } from './clusters';
import type { Ground, View } from './ground';
import { mapRoute, type MapSearch } from './route';
import { t } from './text';

function readView(text: string | undefined): View | null {
  const [zoom, latitude, longitude] = (text ?? '').split('/').map(Number);
  return zoom !== undefined &&
    latitude !== undefined &&
    longitude !== undefined &&
    Math.abs(latitude) <= 85 &&
    Math.abs(longitude) <= 180 &&
    zoom > 0
    ? { zoom, latitude, longitude }
    : null;
}

export function MapScreen() {
  const search = mapRoute.useSearch();
  const navigate = useNavigate({ from: '/map' });
  const sites = useQuery(sitesQuery);
  const stations = useStations(1000);
  const ready = useLive((store) => store.ready);
  const change = (next: Partial<MapSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const all = useMemo<Placed[]>(() => {
    const now = gatherSites(stations);
    return (sites.data?.items ?? []).flatMap((site) =>
      site.latitude === null || site.longitude === null
        ? []
        : [
            {
              site,
              latitude: site.latitude,
              longitude: site.longitude,
              now: now.get(site.id) ?? NOTHING_THERE,
            },
          ],
    );
  }, [sites.data, stations]);
  const placed = useMemo(() => {
    const { status } = search;
    return status ? all.filter((each) => each.now.counts[status]) : all;
  }, [all, search]);
  const nowhere = (sites.data?.items.length ?? 0) - all.length;
  const chosen = all.find((each) => each.site.id === search.site);
  return (
    <>
      <PageHeader title={t('title')}>
        <span className="text-xs text-muted tabular max-sm:hidden" role="status">
          {sites.data && t('shown', { count: placed.length })}
          {nowhere > 0 && ` · ${t('nowhere', { count: nowhere })}`}
        </span>
      </PageHeader>
      <PageBody fill className="h-[calc(100dvh-52px)] max-sm:h-[calc(100dvh-116px)]">
        <div className="panel relative flex min-h-80 flex-1 flex-col overflow-hidden">
          {sites.isError ? (
            <ErrorState error={sites.error} onRetry={() => void sites.refetch()} />
          ) : !sites.data || !ready ? (
            <LoadingRows />
          ) : sites.data.items.length === 0 ? (
            <EmptyState
              icon={MapPin}
              title={t('empty')}
              action={
                <Link to="/sites" className="text-accent underline">
                  {t('empty.go')}
                </Link>
              }
            >
              {t('empty.hint')}
            </EmptyState>
          ) : (
            <>
              <div className="absolute top-3 left-3 z-10 flex gap-2">
                <Select
                  aria-label={t('filter')}
                  value={search.status ?? ''}
                  onChange={(event) =>
                    change({ status: STATUSES.find((each) => each === event.target.value) })
                  }
                  className="!w-44 shadow-overlay"
                >
                  <option value="">{t('filter.any')}</option>
                  {STATUSES.map((status) => (
                    <option key={status} value={status}>
                      {tUi(`status.${status}`)}
                    </option>
                  ))}
                </Select>
                <Link
                  to="/sites"
                  className="inline-flex h-8 items-center gap-1.5 rounded-md border border-line-strong bg-surface px-3 font-medium shadow-overlay hover:bg-hover"
                >
                  <List aria-hidden size={15} />
                  <span className="max-sm:sr-only">{t('list')}</span>
                </Link>
              </div>
              <MapView
                places={placed}
                chosen={chosen}
                status={search.status}
                start={readView(search.at)}
                onView={(at) => change({ at })}
                onChoose={(site) => change({ site })}
              />
              {chosen && <SiteCard place={chosen} onClose={() => change({ site: undefined })} />}
            </>
          )}
        </div>
      </PageBody>
    </>
  );
}

function MapView({
  places,
  chosen,
  start,
  onView,
  onChoose,
}: {
  places: Placed[];
  chosen: Placed | undefined;
  status: Status | undefined;
  start: View | null;
  onView: (at: string) => void;
  onChoose: (siteId: string) => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const [ground, setGround] = useState<Ground | null>(null);
  const [failed, setFailed] = useState(false);
  const [, setFrame] = useState(0);
  const first = useRef({ start, places, chosen, onView });
  useEffect(() => {
    first.current.onView = onView;
  });
  useEffect(() => {
    let made: Ground | null = null;
    let gone = false;
    void (async () => {
      const parts = await import('./ground');
      // The page may have been left in the meantime.
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
      if (gone || !place.current) return;
      const { start: view, places: all, chosen: wanted } = first.current;
      try {
        made = new parts.Ground(
          place.current,
          wanted ? { longitude: wanted.longitude, latitude: wanted.latitude, zoom: 8 } : view,
          {
            label: t('title'),
            controls: {
              'NavigationControl.ZoomIn': t('zoom.in'),
              'NavigationControl.ZoomOut': t('zoom.out'),
            },
          },
        );
      } catch {
        // No WebGL here: the list of sites says the same.
        setFailed(true);
        return;
      }
      const { map } = made;
      if (!view && !wanted && all.length > 0) {
        // What is above the map (the choice of a site) covers less of a wide one.
        const padding =
          place.current.clientWidth < 640 ? { top: 76, right: 36, bottom: 44, left: 36 } : 90;
        map.fitBounds(boundsOf(all), { padding, maxZoom: 8, animate: false });
      }
      let waiting = 0;
      map.on('move', () => {
        waiting ||= requestAnimationFrame(() => {
          waiting = 0;
          setFrame((count) => count + 1);
        });
      });
      map.on('moveend', () => {
        const { lat, lng } = map.getCenter();
        first.current.onView(`${map.getZoom().toFixed(2)}/${lat.toFixed(3)}/${lng.toFixed(3)}`);
      });
      map.on('resize', () => setFrame((count) => count + 1));
      setGround(made);
    })();
    return () => {
      gone = true;
      made?.remove();
    };
  }, []);
  const chosenId = chosen?.site.id;
  useEffect(() => {
    const wanted = chosenId === undefined ? undefined : first.current.chosen;
    if (ground && wanted) {
      ground.map.easeTo({ center: [wanted.longitude, wanted.latitude] });
    }
  }, [ground, chosenId]);
  useEffect(() => {
    first.current.chosen = chosen;
  });
  const zoom = ground ? Math.round(ground.map.getZoom() * 2) / 2 : 0;
  const clusters = useMemo(() => clustersOf(places, zoom), [places, zoom]);
  if (failed) {
    return (
      <EmptyState
        icon={MapPinOff}
        title={t('failed')}
        action={
          <Link to="/sites" className="text-accent underline">
            {t('empty.go')}
          </Link>
        }
      >
        {t('failed.hint')}
      </EmptyState>
    );
  }
  return (
    <div className="absolute inset-0">
      <div ref={place} className="!absolute inset-0" />
      {ground && (
        <ul
          aria-label={t('marks')}
          className="pointer-events-none absolute inset-0 overflow-hidden"
        >
          {clusters.map((cluster) => (
            <Mark
              key={cluster.key}
              cluster={cluster}
              ground={ground}
              isChosen={cluster.sites.some((each) => each.site.id === chosenId)}
              onChoose={onChoose}
            />
          ))}
        </ul>
      )}
      <p className="absolute right-0 bottom-0 rounded-tl bg-surface/85 px-1.5 text-[11px] leading-5 text-muted">
        {t('sources')}
      </p>
    </div>
  );
}

function boundsOf(places: readonly Placed[]): [number, number, number, number] {
  const longitudes = places.map((each) => each.longitude);
  const latitudes = places.map((each) => each.latitude);
  return [
    Math.min(...longitudes),
    Math.min(...latitudes),
    Math.max(...longitudes),
    Math.max(...latitudes),
  ];
}

/** A ring in parts, as many as there are stations of each status. */
function ring(cluster: Cluster): string {
  const { counts, stations } = cluster.now;
  if (stations === 0) return 'var(--line-strong)';
  let done = 0;
  const parts = STATUSES.flatMap((status) => {
    const count = counts[status] ?? 0;
    if (count === 0) return [];
    const from = (360 * done) / stations;
    done += count;
    return [`${statusColour(status)} ${from}deg ${(360 * done) / stations}deg`];
  });
  return `conic-gradient(${parts.join(', ')})`;
}

function Mark({
  cluster,
  ground,
  isChosen,
  onChoose,
}: {
  cluster: Cluster;
  ground: Ground;
  isChosen: boolean;
  onChoose: (siteId: string) => void;
}) {
  const { map } = ground;
  const at = map.project([cluster.longitude, cluster.latitude]);
  const { clientWidth, clientHeight } = map.getContainer();
  if (at.x < -60 || at.y < -60 || at.x > clientWidth + 60 || at.y > clientHeight + 60) return null;
  const { now, sites } = cluster;
  const size = now.stations >= 100 ? 52 : now.stations >= 10 ? 44 : 36;
  const worst = worstOf(now);
  const words = STATUSES.filter((status) => now.counts[status])
    .map((status) => `${number(now.counts[status] ?? 0)} ${tUi(`status.${status}`)}`)
    .join(', ');
  const name = sites.length === 1 ? sites[0]?.site.name : t('sites', { count: sites.length });
  const label = `${name}: ${t('stations', { count: now.stations })}${words && `, ${words}`}`;
  const choose = () => {
    const only = sites.length === 1 ? sites[0] : undefined;
    if (only) onChoose(only.site.id);
    else map.fitBounds(boundsOf(sites), { padding: 120, maxZoom: 10 });
  };
  return (
    <li
      className="absolute top-0 left-0"
      style={{ transform: `translate(${at.x - size / 2}px, ${at.y - size / 2}px)` }}
    >
      <button
        type="button"
        aria-label={label}
        title={label}
        onClick={choose}
        className="pointer-events-auto relative flex items-center justify-center rounded-full p-[4px] shadow-overlay"
        style={{
          width: size,
          height: size,
          background: ring(cluster),
          outline: isChosen ? '2px solid var(--accent)' : undefined,
          outlineOffset: 2,
        }}
      >
        <span className="flex size-full items-center justify-center rounded-full bg-surface text-xs font-semibold tabular">
          {number(now.stations)}
        </span>
        {worst && (
          <span className="absolute -top-1 -right-1 flex size-[18px] items-center justify-center rounded-full border border-line bg-surface">
            <StatusIcon status={worst} size={11} />
          </span>
        )}
      </button>
    </li>
  );
}

function SiteCard({ place: { site, now }, onClose }: { place: Placed; onClose: () => void }) {
  return (
    <section
      aria-label={site.name}
      className="appear absolute right-3 bottom-8 left-3 z-10 flex flex-col gap-2 rounded-lg border border-line bg-raised p-4 shadow-overlay sm:left-auto sm:w-80"
    >
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <Link
            to="/sites/$siteId"
            params={{ siteId: site.id }}
            className="text-lg font-semibold hover:underline"
          >
            {site.name}
          </Link>
          <p className="truncate text-muted">
            {[site.address, site.city, countryName(site.country)].filter(Boolean).join(', ')}
          </p>
        </div>
        <IconButton icon={X} label={tUi('close')} onClick={onClose} className="-mt-1 -mr-2" />
      </div>
      <p className="flex gap-4">
        <Figure quantity={power(now.powerW)} className="font-semibold" />
        <span className="text-muted">{t('stations', { count: now.stations })}</span>
      </p>
      {now.stations > 0 && (
        <>
          <StatusBar counts={now.counts} />
          <StatusLegend counts={now.counts} />
        </>
      )}
    </section>
  );
}
