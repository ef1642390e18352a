// Energy management of a site: what flows, what binds, why, what is planned, what was; and its circuits.
import { useQuery } from '@tanstack/react-query';
import { Network, TriangleAlert } from 'lucide-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '@/api/me';
import { sitesQuery } from '@/api/queries';
import { useNow } from '@/live/hooks';
import { Button } from '@/ui/button';
import { Ago } from '@/ui/live';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { TabLinks } from '@/ui/tabs';
import { Batteries } from './batteries';
import { Circuits } from './circuits';
import { EnergyFlows } from './flows';
import { History } from './history';
import { OverrideDialog, Overrides, type Target } from './overrides';
import { Outside } from './outside';
import { Plan } from './plan';
import { liveQuery, treeQuery, type EnergyLive } from './questions';
import { siteEnergyRoute } from './route';
import { SwitchButton } from './switch';
import { t } from './text';
import { TreeNow } from './tree';
import { Reasons } from './reasons';

/** The loop steps every five seconds: after three of them what is shown is old. */
const OLD_MS = 15_000;

export function SiteEnergy() {
  const { siteId } = siteEnergyRoute.useParams();
  const search = siteEnergyRoute.useSearch();
  const sites = useQuery(sitesQuery);
  const tree = useQuery(treeQuery(siteId));
  const name = sites.data?.items.find((site) => site.id === siteId)?.name ?? t('title');
  const tab = search.tab ?? 'live';
  const isOn = tree.data?.enabled === true;
  return (
    <>
      <PageHeader title={name} back={{ to: '/energy', label: t('title') }} titleBelow />
      <PageBody>
        <div className="flex flex-wrap items-end justify-between gap-3">
          <div className="min-w-0">
            <h1 className="text-xl wrap-anywhere">{name}</h1>
            <p className="text-muted">
              {tree.data ? t(isOn ? 'state.on' : 'state.off') : '\u00a0'}
            </p>
          </div>
          {tree.data && <SwitchButton site={tree.data} />}
        </div>
        <div className="panel">
          <TabLinks
            label={t('tabs')}
            selected={tab}
            tabs={[
              { id: 'live', label: t('tab.live') },
              { id: 'plan', label: t('tab.plan') },
              { id: 'outside', label: t('tab.outside') },
              { id: 'history', label: t('tab.history') },
              { id: 'circuits', label: t('tab.circuits') },
            ]}
          />
        </div>
        {tree.isError ? (
          <div className="panel">
            <ErrorState error={tree.error} onRetry={() => void tree.refetch()} />
          </div>
        ) : tree.isPending ? (
          <div className="panel">
            <LoadingRows rows={10} />
          </div>
        ) : tab === 'circuits' ? (
          <Circuits key={siteId} site={tree.data} />
        ) : tab === 'history' ? (
          <History siteId={siteId} />
        ) : tab === 'outside' ? (
          <Outside siteId={siteId} />
        ) : !isOn ? (
          <NotOn siteId={siteId} />
        ) : tab === 'plan' ? (
          <Plan siteId={siteId} />
        ) : (
          <Live siteId={siteId} />
        )}
      </PageBody>
    </>
  );
}

function NotOn({ siteId }: { siteId: string }) {
  const may = useMay('manage_energy');
  return (
    <div className="panel">
      <EmptyState
        icon={Network}
        title={t('off.title')}
        action={
          may && (
            <Link
              to="/energy/$siteId"
              params={{ siteId }}
              search={{ tab: 'circuits' }}
              className="text-accent underline"
            >
              {t('off.next')}
            </Link>
          )
        }
      >
        {t('off.hint')}
      </EmptyState>
    </div>
  );
}

function Live({ siteId }: { siteId: string }) {
  const now = useQuery(liveQuery(siteId));
  const [target, setTarget] = useState<Target | null>(null);
  if (!now.data) {
    return (
      <div className="panel">
        {now.isError ? (
          <ErrorState error={now.error} onRetry={() => void now.refetch()} />
        ) : (
          <LoadingRows rows={10} />
        )}
      </div>
    );
  }
  return (
    <>
      <Old now={now.data} failed={now.isError} onRetry={() => void now.refetch()} />
      <div className="grid shrink-0 items-start gap-3 xl:grid-cols-[minmax(360px,5fr)_minmax(0,7fr)]">
        <div className="flex min-w-0 flex-col gap-3">
          <EnergyFlows now={now.data} />
          <Batteries now={now.data} />
          <Overrides siteId={siteId} onNew={() => setTarget({ node: now.data.nodes[0]?.id })} />
        </div>
        <TreeNow now={now.data} onOverride={(node) => setTarget({ node })} />
      </div>
      <Reasons now={now.data} onOverride={(evse) => setTarget({ evse })} />
      {target && (
        <OverrideDialog
          siteId={siteId}
          now={now.data}
          target={target}
          onClose={() => setTarget(null)}
        />
      )}
    </>
  );
}

function Old({ now, failed, onRetry }: { now: EnergyLive; failed: boolean; onRetry: () => void }) {
  const time = useNow(1000);
  if (!failed && time - Date.parse(now.at) < OLD_MS) return null;
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-2 rounded-lg bg-warning-soft px-4 py-2 text-warning"
    >
      <TriangleAlert aria-hidden size={16} />
      <span className="flex-1">
        {t('old')} <Ago at={now.at} />
      </span>
      <Button small onClick={onRetry}>
        {t('old.retry')}
      </Button>
    </div>
  );
}
