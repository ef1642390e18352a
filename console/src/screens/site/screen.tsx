import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Ellipsis, Pencil, Trash2 } from 'lucide-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import { api, Problem, type Schemas } from '@/api/client';
import { useMay, useMe } from '@/api/me';
import { queries } from '@/api/queries';
import { NOTHING, number, percent, power } from '@/i18n/quantity';
import { useLive, useStations } from '@/live/hooks';
import { countryName } from '@/screens/sites/country';
import { gatherSites, NOTHING_THERE } from '@/screens/sites/gather';
import { t } from '@/screens/sites/text';
import { Button } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { Tags } from '@/ui/facts';
import { faultText } from '@/ui/form';
import { KpiStrip } from '@/ui/kpi';
import { Menu, MenuItem } from '@/ui/menu';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { StatusBar, StatusLegend } from '@/ui/status-bar';
import { TabLinks } from '@/ui/tabs';
import { toast } from '@/ui/toast';
import { siteQuery } from './query';
import { siteRoute } from './route';
import { TABS } from './tabs';

const SiteForm = lazy(() =>
  import('@/screens/sites/site-form').then((found) => ({ default: found.SiteForm })),
);

type Site = Schemas['Site'];

export function Site() {
  const { siteId } = siteRoute.useParams();
  const site = useQuery({ ...siteQuery(siteId), refetchInterval: 60_000 });
  const back = { to: '/sites', label: t('title') };
  if (!site.data) {
    const isMissing =
      site.error instanceof Problem && (site.error.status === 404 || site.error.status === 422);
    return (
      <>
        <PageHeader title={t('site')} back={back} />
        <PageBody>
          <div className="panel">
            {isMissing ? (
              <EmptyState title={t('missing')}>{t('missing.hint')}</EmptyState>
            ) : site.isError ? (
              <ErrorState error={site.error} onRetry={() => void site.refetch()} />
            ) : (
              <LoadingRows />
            )}
          </div>
        </PageBody>
      </>
    );
  }
  return (
    <>
      <PageHeader title={site.data.name} back={back} titleBelow />
      <PageBody className="lg:min-h-[640px] xl:min-h-0">
        <Head site={site.data} />
        <Now site={site.data} />
        <Tabs siteId={siteId} />
      </PageBody>
    </>
  );
}

function Head({ site }: { site: Site }) {
  const mayChange = useMay('change_stations');
  const mayRemove = useMay('remove_stations');
  const [editing, setEditing] = useState(false);
  const [removing, setRemoving] = useState(false);
  const address = [site.address, site.city, countryName(site.country)].filter(Boolean).join(', ');
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-4 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-xl wrap-anywhere">{site.name}</h1>
        <p className="flex flex-wrap items-center gap-x-4 text-muted">
          {address && <span>{address}</span>}
          {site.open_now !== null && <span>{t(site.open_now ? 'open' : 'closed')}</span>}
          {site.latitude !== null && site.longitude !== null && (
            <Link to="/map" search={{ site: site.id }} className="hover:underline">
              {t('map')}
            </Link>
          )}
          {site.tags.length > 0 && <Tags tags={site.tags} />}
        </p>
      </div>
      {mayChange && (
        <div className="no-print flex gap-2">
          <Button icon={Pencil} onClick={() => setEditing(true)}>
            {t('edit')}
          </Button>
          {mayRemove && (
            <Menu trigger={<Button icon={Ellipsis}>{t('more')}</Button>}>
              <MenuItem
                icon={Trash2}
                destructive
                onSelect={() => setTimeout(() => setRemoving(true))}
              >
                {t('remove')}
              </MenuItem>
            </Menu>
          )}
        </div>
      )}
      {editing && (
        <Suspense>
          <SiteForm site={site} onClose={() => setEditing(false)} />
        </Suspense>
      )}
      {removing && <Remove site={site} onClose={() => setRemoving(false)} />}
    </div>
  );
}

function Remove({ site, onClose }: { site: Site; onClose: () => void }) {
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const count = useStations(5000).filter((station) => station.site_id === site.id).length;
  const remove = async () => {
    setBusy(true);
    try {
      await api.DELETE('/api/v1/sites/{site_id}', { params: { path: { site_id: site.id } } });
      await queries.invalidateQueries({ queryKey: ['sites'] });
      toast('good', t('removed', { name: site.name }));
      void navigate({ to: '/sites', search: {} });
    } catch (fault) {
      toast('bad', t('failed'), faultText(fault));
      setBusy(false);
      onClose();
    }
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('remove.title', { name: site.name })}
      consequence={t('remove.consequence', { count })}
      action={t('remove')}
      destructive
      busy={busy}
      onConfirm={() => void remove()}
    />
  );
}

function Now({ site }: { site: Site }) {
  const ready = useLive((store) => store.ready);
  const stations = useStations(1000);
  const now = useMemo(
    () => gatherSites(stations).get(site.id) ?? NOTHING_THERE,
    [stations, site.id],
  );
  const limit = site.grid_connection?.limit_kw;
  const draws = power(now.powerW);
  return (
    <>
      <KpiStrip
        label={t('figures')}
        figures={[
          {
            label: t('figure.power'),
            value: ready ? draws.value : null,
            unit: draws.unit,
            note:
              limit == null
                ? t('figure.limit.none')
                : t('figure.limit', {
                    limit: number(limit),
                    share: percent((now.powerW / limit / 1000) * 100).value,
                  }),
          },
          {
            label: t('column.charging'),
            value: ready ? number(now.charging) : null,
            unit: t('figure.of', { total: now.evses }),
          },
          {
            label: t('figure.online'),
            value: ready ? number(now.online) : null,
            unit: t('figure.of', { total: now.stations }),
          },
          {
            label: t('figure.open'),
            value: site.open_now === null ? NOTHING : t(site.open_now ? 'open' : 'closed'),
            note: site.open_now === null ? t('hours.none') : site.time_zone,
          },
        ]}
      />
      {now.stations > 0 && (
        <div className="panel flex shrink-0 flex-col gap-2 px-4 py-3">
          <StatusBar counts={now.counts} />
          <StatusLegend counts={now.counts} />
        </div>
      )}
    </>
  );
}

function Tabs({ siteId }: { siteId: string }) {
  const { tab } = siteRoute.useSearch();
  const me = useMe();
  const tabs = TABS.filter((each) => !each.right || me.permissions.includes(each.right));
  const shown = tabs.find((each) => each.id === tab) ?? tabs[0];
  if (!shown) return null;
  const Content = shown.component;
  return (
    <section className="panel flex h-[480px] min-h-80 shrink-0 flex-col overflow-hidden xl:h-auto xl:flex-1 xl:shrink">
      <TabLinks tabs={tabs} selected={shown.id} label={t('tabs')} />
      <div className="flex min-h-0 flex-1 flex-col">
        <Content siteId={siteId} />
      </div>
    </section>
  );
}
