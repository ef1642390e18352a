import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  Ellipsis,
  LockOpen,
  Play,
  Power,
  PowerOff,
  RotateCcw,
  ShieldQuestion,
  Square,
} from 'lucide-react';
import { useState } from 'react';
import { Problem } from '@/api/client';
import { useMay, useMe } from '@/api/me';
import { stationQuery } from '@/api/queries';
import { CommandDialog, type Act, type Wish } from '@/commands/dialogs';
import { t as tCommand } from '@/commands/text';
import { useLive, useStation } from '@/live/hooks';
import type { LiveStation } from '@/live/types';
import { Button } from '@/ui/button';
import { Ago } from '@/ui/live';
import { Menu, MenuItem } from '@/ui/menu';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { StatusBadge } from '@/ui/status';
import { TabLinks } from '@/ui/tabs';
import { Connectors } from './connectors';
import { Uptime } from './health';
import { StationPower } from './power';
import { QuirkCount } from './quirks';
import { stationRoute } from './route';
import { TABS } from './tabs';
import { t } from './text';

export function Station() {
  const { stationId } = stationRoute.useParams();
  const ready = useLive((store) => store.ready);
  const station = useStation(stationId);
  const [wish, setWish] = useState<Wish | null>(null);
  const back = { to: '/stations', label: t('back') };
  if (!station) {
    return (
      <>
        <PageHeader title={stationId} back={back} />
        <PageBody>
          <div className="panel">{ready ? <Missing id={stationId} /> : <LoadingRows />}</div>
        </PageBody>
      </>
    );
  }
  return (
    <>
      <PageHeader title={station.name || station.id} back={back} titleBelow />
      <PageBody className="lg:min-h-[860px] xl:min-h-0">
        <Head station={station} onAct={(act) => setWish({ act, stations: [station.id] })} />
        <div className="grid shrink-0 gap-3 lg:grid-cols-[minmax(0,2fr)_minmax(320px,1fr)] lg:[grid-auto-rows:300px]">
          <StationPower key={station.id} station={station} />
          <Connectors station={station} onWish={setWish} />
        </div>
        <Tabs stationId={station.id} />
      </PageBody>
      <CommandDialog wish={wish} onClose={() => setWish(null)} />
    </>
  );
}

/** The live picture does not have it: does the server? */
function Missing({ id }: { id: string }) {
  const station = useQuery(stationQuery(id));
  if (station.isPending) return <LoadingRows />;
  if (station.error instanceof Problem && station.error.status !== 404) {
    return <ErrorState error={station.error} onRetry={() => void station.refetch()} />;
  }
  return <EmptyState title={t('missing', { id })}>{t('missing.hint')}</EmptyState>;
}

function Head({ station, onAct }: { station: LiveStation; onAct: (act: Act) => void }) {
  const may = useMay('call_stations');
  const isCharging = station.evses.some((evse) => evse.session_id);
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-4 gap-y-3">
      <div className="min-w-0 flex-1 basis-96 max-sm:basis-full">
        <h1 className="text-xl wrap-anywhere">{station.name || station.id}</h1>
        <p className="flex flex-wrap gap-x-4 text-muted">
          <StatusBadge word={station.status} className="text-text" />
          {station.name && <span className="select-all">{station.id}</span>}
          {station.site_id && station.site && (
            <Link to="/stations" search={{ site: station.site_id }} className="hover:underline">
              {station.site}
            </Link>
          )}
          <span>{[station.vendor, station.model].filter(Boolean).join(' ')}</span>
          {station.firmware_version && (
            <span>{t('firmware', { version: station.firmware_version })}</span>
          )}
          {station.ocpp_version && <span>OCPP {station.ocpp_version}</span>}
          <Uptime stationId={station.id} />
          <QuirkCount stationId={station.id} />
          {!station.connected && station.last_seen_at && (
            <span>
              {t('seen')} <Ago at={station.last_seen_at} />
            </span>
          )}
        </p>
        {station.admission !== 'accepted' && (
          <p className="mt-1 flex items-center gap-1.5 text-warning">
            <ShieldQuestion aria-hidden size={15} />
            {t(station.admission === 'pending' ? 'pending' : 'rejected')}
          </p>
        )}
      </div>
      {may && (
        <div className="no-print flex flex-wrap gap-2">
          <Button icon={Play} onClick={() => onAct('start')}>
            {tCommand('start')}
          </Button>
          <Button icon={Square} onClick={() => onAct('stop')} disabled={!isCharging}>
            {tCommand('stop')}
          </Button>
          <Button icon={LockOpen} onClick={() => onAct('unlock')} className="max-sm:hidden">
            {tCommand('unlock')}
          </Button>
          <Button icon={RotateCcw} onClick={() => onAct('reset')} className="max-sm:hidden">
            {tCommand('reset')}
          </Button>
          <Menu trigger={<Button icon={Ellipsis}>{t('more')}</Button>}>
            <MenuItem icon={LockOpen} onSelect={() => onAct('unlock')}>
              {tCommand('unlock')}
            </MenuItem>
            <MenuItem icon={RotateCcw} onSelect={() => onAct('reset')}>
              {tCommand('reset')}
            </MenuItem>
            <MenuItem icon={PowerOff} onSelect={() => onAct('out')}>
              {tCommand('out')}
            </MenuItem>
            <MenuItem icon={Power} onSelect={() => onAct('in')}>
              {tCommand('in')}
            </MenuItem>
            <MenuItem onSelect={() => onAct('trigger')}>{tCommand('trigger')}</MenuItem>
            <MenuItem onSelect={() => onAct('clear_cache')}>{tCommand('clear_cache')}</MenuItem>
          </Menu>
        </div>
      )}
    </div>
  );
}

function Tabs({ stationId }: { stationId: string }) {
  const { tab } = stationRoute.useSearch();
  const me = useMe();
  const tabs = TABS.filter((each) => !each.right || me.permissions.includes(each.right));
  const shown = tabs.find((each) => each.id === tab) ?? tabs[0];
  if (!shown) return null;
  const Content = shown.component;
  return (
    <section className="panel flex h-[440px] min-h-80 shrink-0 flex-col overflow-hidden xl:h-auto xl:flex-1 xl:shrink">
      <TabLinks tabs={tabs} selected={shown.id} label={t('tabs')} />
      <div className="flex min-h-0 flex-1 flex-col">
        <Content stationId={stationId} />
      </div>
    </section>
  );
}
