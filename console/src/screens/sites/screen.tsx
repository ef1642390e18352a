import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Building2, Plus } from 'lucide-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import type { Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { sitesQuery } from '@/api/queries';
import { NOTHING, number, power } from '@/i18n/quantity';
import { useStations } from '@/live/hooks';
import { TransferTools } from '@/transfer/tools';
import { Button } from '@/ui/button';
import { DataTable, sortRows, type Column } from '@/ui/data-table';
import { Tags } from '@/ui/facts';
import { SearchField, Select } from '@/ui/fields';
import { Figure, Flash } from '@/ui/live';
import { PageBody, PageHeader } from '@/ui/page';
import { SavedViews } from '@/ui/saved-views';
import { EmptyState, ErrorState } from '@/ui/states';
import { StatusBar } from '@/ui/status-bar';
import { TabLinks } from '@/ui/tabs';
import { countryName } from './country';
import { gatherSites, NOTHING_THERE, type SiteNow } from './gather';
import { Groups } from './groups';
import { SORTS, sitesRoute, type SitesSearch } from './route';
import { TagList } from './tags';
import { t } from './text';

const SiteForm = lazy(() => import('./site-form').then((found) => ({ default: found.SiteForm })));

type Site = Schemas['Site'];
interface Row {
  site: Site;
  now: SiteNow;
}

export function Sites() {
  const { tab } = sitesRoute.useSearch();
  const tabs = [
    { id: 'sites', label: t('tab.sites') },
    { id: 'groups', label: t('tab.groups') },
    { id: 'tags', label: t('tab.tags') },
  ];
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TabLinks tabs={tabs} selected={tab ?? 'sites'} label={t('tabs')} />
          {tab === 'groups' ? <Groups /> : tab === 'tags' ? <TagList /> : <SiteList />}
        </div>
      </PageBody>
    </>
  );
}

function place(site: Site): string {
  return [site.city, countryName(site.country)].filter(Boolean).join(', ');
}

const COLUMNS: Column<Row>[] = [
  {
    id: 'name',
    header: t('column.name'),
    width: 'minmax(190px, 1.6fr)',
    sort: ({ site }) => site.name.toLowerCase(),
    cell: ({ site }) => (
      <Link
        to="/sites/$siteId"
        params={{ siteId: site.id }}
        className="font-medium hover:underline"
      >
        {site.name}
      </Link>
    ),
  },
  {
    id: 'place',
    header: t('column.place'),
    width: 'minmax(150px, 1.2fr)',
    sort: ({ site }) => place(site).toLowerCase(),
    cell: ({ site }) => <span className="text-muted">{place(site) || NOTHING}</span>,
  },
  {
    id: 'status',
    header: t('column.status'),
    width: '150px',
    cell: ({ now }) =>
      now.stations > 0 ? (
        <StatusBar counts={now.counts} />
      ) : (
        <span className="text-muted">{NOTHING}</span>
      ),
  },
  {
    id: 'stations',
    header: t('column.stations'),
    width: '88px',
    align: 'right',
    sort: ({ now }) => now.stations,
    descendingFirst: true,
    cell: ({ now }) => number(now.stations),
  },
  {
    id: 'charging',
    header: t('column.charging'),
    width: '92px',
    align: 'right',
    cell: ({ now }) => (
      <>
        {number(now.charging)}
        <span className="text-muted"> / {number(now.evses)}</span>
      </>
    ),
  },
  {
    id: 'power',
    header: t('column.power'),
    width: '104px',
    align: 'right',
    sort: ({ now }) => now.powerW,
    descendingFirst: true,
    cell: ({ now }) =>
      now.powerW > 0 ? (
        <Flash value={now.powerW} className="-mr-1 px-1 py-0.5">
          <Figure quantity={power(now.powerW)} />
        </Flash>
      ) : (
        <span className="text-muted">{NOTHING}</span>
      ),
  },
  {
    id: 'limit',
    header: t('column.limit'),
    width: '104px',
    align: 'right',
    cell: ({ site }) => {
      const limit = site.grid_connection?.limit_kw;
      return limit == null ? (
        <span className="text-muted">{NOTHING}</span>
      ) : (
        <Figure quantity={power(limit * 1000)} />
      );
    },
  },
  {
    id: 'open',
    header: t('column.open'),
    width: '84px',
    cell: ({ site }) => (
      <span className={site.open_now ? '' : 'text-muted'}>
        {site.open_now === null ? NOTHING : t(site.open_now ? 'open' : 'closed')}
      </span>
    ),
  },
  {
    id: 'tags',
    header: t('column.tags'),
    width: 'minmax(100px, 1fr)',
    cell: ({ site }) => <Tags tags={site.tags} />,
  },
];

function SiteList() {
  const search = sitesRoute.useSearch();
  const navigate = useNavigate({ from: '/sites' });
  const sites = useQuery({ ...sitesQuery, refetchInterval: 60_000 });
  const stations = useStations(1000);
  const mayChange = useMay('change_stations');
  const [adding, setAdding] = useState(false);
  const change = (next: Partial<SitesSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const all = useMemo(() => sites.data?.items ?? [], [sites.data]);
  const sorting = { column: search.sort ?? 'name', descending: search.desc === true };
  const rows = useMemo(() => {
    const now = gatherSites(stations);
    const words = (search.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const found = all
      .filter((site) => {
        const text = `${site.name} ${site.address} ${place(site)} ${site.tags.join(' ')}`;
        return (
          (!search.country || site.country === search.country) &&
          (!search.tag || site.tags.includes(search.tag)) &&
          words.every((word) => text.toLowerCase().includes(word))
        );
      })
      .map((site) => ({ site, now: now.get(site.id) ?? NOTHING_THERE }));
    return sortRows(found, COLUMNS, {
      column: search.sort ?? 'name',
      descending: search.desc === true,
    });
  }, [all, stations, search.q, search.tag, search.country, search.sort, search.desc]);
  if (sites.isError) return <ErrorState error={sites.error} onRetry={() => void sites.refetch()} />;
  const countries = [...new Set(all.map((site) => site.country).filter(Boolean))].sort();
  const tags = [...new Set(all.flatMap((site) => site.tags))].sort();
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        <SearchField
          label={t('search')}
          value={search.q ?? ''}
          onValue={(q) => change({ q: q || undefined })}
          shortcut="/"
          className="w-64 max-sm:w-full"
        />
        {countries.length > 1 && (
          <Select
            aria-label={t('country.label')}
            value={search.country ?? ''}
            onChange={(event) => change({ country: event.target.value || undefined })}
            className="!w-40"
          >
            <option value="">{t('country.any')}</option>
            {countries.map((code) => (
              <option key={code} value={code}>
                {countryName(code)}
              </option>
            ))}
          </Select>
        )}
        {tags.length > 0 && (
          <Select
            aria-label={t('tag.label')}
            value={search.tag ?? ''}
            onChange={(event) => change({ tag: event.target.value || undefined })}
            className="!w-36"
          >
            <option value="">{t('tag.any')}</option>
            {tags.map((tag) => (
              <option key={tag}>{tag}</option>
            ))}
          </Select>
        )}
        <div className="ml-auto flex items-center gap-2">
          <SavedViews screen="sites" />
          <TransferTools kind="sites" mayChange={mayChange} />
          {mayChange && (
            <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
              {t('add')}
            </Button>
          )}
        </div>
      </div>
      <DataTable
        label={t('table')}
        rows={rows}
        rowKey={({ site }) => site.id}
        columns={COLUMNS}
        sorting={sorting}
        onSort={(next) =>
          change({
            sort: SORTS.find((each) => each === next.column && each !== 'name'),
            desc: next.descending || undefined,
          })
        }
        onOpen={({ site }) =>
          void navigate({ to: '/sites/$siteId', params: { siteId: site.id }, search: {} })
        }
        phoneRow={(row) => <SiteLine row={row} />}
        freeze
        asked={search}
        loading={sites.isPending}
        className="border-t border-line"
        empty={
          <EmptyState
            icon={Building2}
            title={t(all.length > 0 ? 'none' : 'empty')}
            action={
              all.length > 0 ? (
                <Button onClick={() => void navigate({ search: {} })}>{t('none.clear')}</Button>
              ) : (
                mayChange && (
                  <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
                    {t('add')}
                  </Button>
                )
              )
            }
          >
            {t(all.length > 0 ? 'none.hint' : 'empty.hint')}
          </EmptyState>
        }
      />
      {adding && (
        <Suspense>
          <SiteForm
            onClose={() => setAdding(false)}
            onSaved={(site) =>
              void navigate({ to: '/sites/$siteId', params: { siteId: site.id }, search: {} })
            }
          />
        </Suspense>
      )}
    </>
  );
}

function SiteLine({ row: { site, now } }: { row: Row }) {
  return (
    <div className="relative flex items-center gap-3">
      <div className="min-w-0 flex-1">
        <Link
          to="/sites/$siteId"
          params={{ siteId: site.id }}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {site.name}
        </Link>
        <p className="truncate text-xs text-muted">
          {place(site)} · {t('stations', { count: now.stations })}
        </p>
      </div>
      <div className="w-20 text-right">
        <Figure quantity={power(now.powerW)} />
        <StatusBar counts={now.counts} height={6} />
      </div>
    </div>
  );
}
