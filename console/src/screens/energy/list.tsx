// The sites, those with energy management first.
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Network } from 'lucide-react';
import { useMay } from '@/api/me';
import { sitesQuery } from '@/api/queries';
import { joined, number, power, NOTHING } from '@/i18n/quantity';
import { SearchField } from '@/ui/fields';
import { Ago, Figure } from '@/ui/live';
import { PageBody, PageHeader, Panel } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { energyRoute } from './route';
import { liveQuery, treeQuery, type EnergyLive } from './questions';
import { t } from './text';

/** So many sites are asked about at once; the filter finds the others. */
const ASKED = 60;

interface Site {
  id: string;
  name: string;
  city: string;
}

export function Energy() {
  const { q } = energyRoute.useSearch();
  const go = useNavigate();
  const sites = useQuery(sitesQuery);
  const wanted = (q ?? '').toLocaleLowerCase();
  const fitting: Site[] = (sites.data?.items ?? []).filter((site) =>
    `${site.name} ${site.city}`.toLocaleLowerCase().includes(wanted),
  );
  const shown = fitting.slice(0, ASKED);
  const trees = useQueries({ queries: shown.map((site) => treeQuery(site.id)) });
  const kind = (index: number) => {
    const tree = trees[index];
    if (tree?.isPending) return 'asked';
    return tree?.data?.enabled ? 'on' : 'off';
  };
  const on = shown.filter((_, index) => kind(index) === 'on');
  const off = shown.filter((_, index) => kind(index) === 'off');
  const refused = trees.find((tree) => tree.isError);
  return (
    <>
      <PageHeader title={t('title')}>
        <SearchField
          label={t('list.search')}
          value={q ?? ''}
          shortcut="/"
          className="w-56 max-sm:w-36"
          onValue={(value) =>
            void go({ to: '/energy', search: { q: value || undefined }, replace: true })
          }
        />
      </PageHeader>
      <PageBody>
        {sites.isError || refused ? (
          <div className="panel">
            <ErrorState
              error={sites.error ?? refused?.error}
              onRetry={() => {
                void sites.refetch();
                trees.forEach((tree) => void tree.refetch());
              }}
            />
          </div>
        ) : sites.isPending || shown.some((_, index) => kind(index) === 'asked') ? (
          <div className="panel">
            <LoadingRows />
          </div>
        ) : (
          <>
            <Panel title={t('list.on')} note={number(on.length)} flush>
              {on.length === 0 ? (
                <EmptyState icon={Network} title={t('list.none')}>
                  {t('list.none.hint')}
                </EmptyState>
              ) : (
                <ul className="divide-y divide-line border-t border-line">
                  {on.map((site) => (
                    <Managed key={site.id} site={site} />
                  ))}
                </ul>
              )}
            </Panel>
            {off.length > 0 && <Unmanaged sites={off} />}
            {fitting.length > ASKED && (
              <p className="text-muted">{t('list.more', { count: fitting.length - ASKED })}</p>
            )}
          </>
        )}
      </PageBody>
    </>
  );
}

function Managed({ site }: { site: Site }) {
  const now = useQuery(liveQuery(site.id));
  return (
    <li className="relative grid grid-cols-[minmax(0,2fr)_repeat(4,minmax(80px,1fr))] items-center gap-3 px-4 py-2.5 hover:bg-hover max-sm:grid-cols-2">
      <div className="min-w-0 max-sm:col-span-2">
        <Link
          to="/energy/$siteId"
          params={{ siteId: site.id }}
          className="font-medium after:absolute after:inset-0"
        >
          {site.name}
        </Link>
        <p className="truncate text-xs text-muted">
          {site.city}
          {now.data && (
            <>
              {' · '}
              <Ago at={now.data.at} />
            </>
          )}
        </p>
      </div>
      <Value label={t('flow.grid')} value={joined(power(now.data?.flows.grid_w))} />
      <Value label={t('flow.chargers')} value={joined(power(now.data?.flows.chargers_w))} />
      <Value label={t('list.tightest')} value={now.data ? tightest(now.data) : NOTHING} />
      <Value
        label={t('list.cars')}
        value={now.data ? number(now.data.evses.filter((each) => each.connected).length) : NOTHING}
      />
    </li>
  );
}

/** The limit that is used most, of all nodes and phases. */
function tightest(now: EnergyLive): string {
  let most = -1;
  let where = NOTHING;
  for (const node of now.nodes) {
    for (const phase of node.phases) {
      if (!phase.limit_a || phase.measured_a === null) continue;
      const share = phase.measured_a / phase.limit_a;
      if (share > most) {
        most = share;
        where = `${node.name || node.id} ${phase.phase} ${number(share * 100)} %`;
      }
    }
  }
  return where;
}

function Value({ label, value }: { label: string; value: string }) {
  return (
    <div className="min-w-0">
      <p className="text-xs text-muted">{label}</p>
      <p className="truncate">
        <Figure quantity={{ value, unit: '' }} />
      </p>
    </div>
  );
}

function Unmanaged({ sites }: { sites: Site[] }) {
  const may = useMay('manage_energy');
  return (
    <Panel title={t('list.off')} note={number(sites.length)} flush>
      <ul className="divide-y divide-line border-t border-line">
        {sites.map((site) => (
          <li
            key={site.id}
            className="relative flex min-h-10 items-center gap-3 px-4 hover:bg-hover"
          >
            <p className="min-w-0 flex-1 truncate">
              <span className="font-medium">{site.name}</span>
              <span className="ml-2 text-xs text-muted">{site.city}</span>
            </p>
            <Link
              to="/energy/$siteId"
              params={{ siteId: site.id }}
              search={{ tab: 'circuits' }}
              aria-label={`${t(may ? 'list.setup' : 'list.look')}: ${site.name}`}
              className="text-accent after:absolute after:inset-0 hover:underline"
            >
              {t(may ? 'list.setup' : 'list.look')}
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
