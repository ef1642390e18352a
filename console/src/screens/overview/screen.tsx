import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { PlugZap, Plus } from 'lucide-react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { energy, number, percent, power } from '@/i18n/quantity';
import { useLive } from '@/live/hooks';
import { Button } from '@/ui/button';
import { KpiStrip } from '@/ui/kpi';
import { PageBody, PageHeader, Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { ChargingNow } from './charging-now';
import { Matters } from './matters';
import { NetworkPower } from './network-power';
import { SiteStatus } from './site-status';
import { t } from './text';

export function Overview() {
  const isEmpty = useLive((store) => store.ready && store.kpi?.total === 0);
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="xl:min-h-[720px]">
        <Figures />
        {isEmpty ? (
          <FirstStation />
        ) : (
          <div className="grid min-h-0 flex-1 gap-3 lg:grid-cols-2 lg:grid-rows-[minmax(0,46fr)_minmax(0,54fr)]">
            <SiteStatus />
            <NetworkPower />
            <Matters />
            <ChargingNow />
          </div>
        )}
      </PageBody>
    </>
  );
}

function Figures() {
  const kpi = useLive((store) => store.kpi);
  const now = kpi && power(kpi.power_w);
  const today = kpi && energy(kpi.energy_today_wh);
  const matters = kpi ? Object.values(kpi.attention).reduce((sum, each) => sum + each, 0) : 0;
  const evses = kpi ? Object.values(kpi.evse_statuses).reduce((sum, each) => sum + each, 0) : 0;
  return (
    <KpiStrip
      label={t('figures')}
      figures={[
        { label: t('power'), value: now?.value ?? null, unit: now?.unit },
        {
          label: t('charging'),
          value: kpi && number(kpi.charging),
          unit: t('charging.of', { count: evses }),
          href: '/stations?status=charging',
        },
        { label: t('energy'), value: today?.value ?? null, unit: today?.unit },
        {
          label: t('sessions'),
          value: kpi && number(kpi.sessions_today),
          unit: kpi ? t('sessions.note', { count: kpi.sessions_active }) : '',
          href: '/sessions',
        },
        {
          label: t('online'),
          value: kpi && percent(kpi.total ? (100 * kpi.online) / kpi.total : 0, 1).value,
          unit: '%',
        },
        {
          label: t('attention'),
          value: kpi && number(matters),
          alarming: matters > 0,
        },
      ]}
    />
  );
}

/** What is shown before there is any station: where to point the first one. */
function FirstStation() {
  const navigate = useNavigate();
  const mayAdd = useMay('change_stations');
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: () => data(api.GET('/api/v1/overview')),
    staleTime: Infinity,
  });
  return (
    <Panel className="flex-1 justify-center">
      <EmptyState
        icon={PlugZap}
        title={t('empty')}
        action={
          mayAdd && (
            <Button look="primary" icon={Plus} onClick={() => void navigate({ to: '/onboarding' })}>
              {t('empty.act')}
            </Button>
          )
        }
      >
        <p>{t('empty.hint')}</p>
        <code className="my-3 block rounded-md border border-line bg-sunken px-3 py-2 font-mono text-text select-all">
          {overview.data?.stations_url ?? 'wss://…/ocpp'}/
        </code>
        {mayAdd && <p>{t('empty.add')}</p>}
      </EmptyState>
    </Panel>
  );
}
