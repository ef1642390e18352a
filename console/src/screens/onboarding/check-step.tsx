// The last step: what the charger says of itself, its admission, its connectors, and a test session.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BatteryCharging, CircleCheck, Loader2, Play, ShieldQuestion } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { stationQuery } from '@/api/queries';
import { CommandDialog, type Wish } from '@/commands/dialogs';
import { moment } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import { Connectors } from '@/screens/station/connectors';
import { Button } from '@/ui/button';
import { Facts } from '@/ui/facts';
import { Panel } from '@/ui/page';
import { toast } from '@/ui/toast';
import { t } from './text';
import { FirstFrame } from './waiting';
import type { Profile } from './route';

const LINK = 'inline-flex min-h-6 items-center text-accent hover:underline';

export function CheckStep({
  station: id,
  profile,
}: {
  station: string;
  profile: Profile | undefined;
}) {
  const station = useStation(id);
  const [wish, setWish] = useState<Wish | null>(null);
  if (!station) return null;
  const isIn = station.admission === 'accepted';
  const charging = station.evses.some((evse) => evse.session_id && evse.power_w > 0);
  return (
    <div className="grid items-start gap-3 lg:grid-cols-2">
      <Boot id={id} />
      <div className="flex min-w-0 flex-col gap-3">
        {!isIn && <Admission id={id} admission={station.admission} />}
        {isIn && (
          <>
            <Panel title={t('test')}>
              <p className="text-muted">{t('test.hint')}</p>
              {charging && (
                <p role="status" className="mt-3 flex gap-2 font-medium text-good">
                  <BatteryCharging aria-hidden size={16} className="mt-0.5" />
                  {t('test.running')}
                </p>
              )}
              <div className="mt-3 flex flex-wrap items-center gap-3">
                <TestButton
                  ready={station.connected && station.evses.length > 0}
                  onStart={() =>
                    setWish({
                      act: 'start',
                      stations: [id],
                      evseId: station.evses.length === 1 ? station.evses[0]?.id : undefined,
                    })
                  }
                />
                <Link to="/stations/$stationId" params={{ stationId: id }} className={LINK}>
                  {t('open')}
                </Link>
                {profile === '3' && (
                  <Link to="/security" search={{ tab: 'upgrades' }} className={LINK}>
                    {t('upgrade')}
                  </Link>
                )}
                <Link to="/onboarding" search={{}} className={LINK}>
                  {t('again')}
                </Link>
              </div>
            </Panel>
            <Connectors station={station} onWish={setWish} />
          </>
        )}
      </div>
      <CommandDialog wish={wish} onClose={() => setWish(null)} />
    </div>
  );
}

function TestButton({ ready, onStart }: { ready: boolean; onStart: () => void }) {
  const may = useMay('call_stations');
  if (!may) return null;
  return (
    <Button look="primary" icon={Play} disabled={!ready} onClick={onStart}>
      {t('test.start')}
    </Button>
  );
}

/** What it says of itself, as soon as it does. */
function Boot({ id }: { id: string }) {
  const live = useStation(id);
  const query = useQuery({
    ...stationQuery(id),
    refetchInterval: (one) => (one.state.data?.booted_at ? 5000 : 1500),
  });
  const station = query.data;
  return (
    <Panel title={t('boot')}>
      <div aria-live="polite">
        {live?.connected ? (
          <p className="mb-2 flex gap-2 font-medium">
            <CircleCheck aria-hidden size={16} className="mt-0.5 shrink-0 text-good" />
            {t('here', { station: id })}
          </p>
        ) : (
          <p className="mb-2 flex gap-2 text-warning">
            <Loader2 aria-hidden size={16} className="mt-0.5 shrink-0 animate-spin" />
            {t('lost')}
          </p>
        )}
        {live?.connected && station && !station.booted_at && (
          <p className="text-muted">{t('here.booting')}</p>
        )}
      </div>
      {station?.booted_at && (
        <Facts
          lines={[
            [t('identity'), station.id],
            [t('vendor'), `${station.vendor} ${station.model}`.trim()],
            [t('serial'), station.serial_number],
            [t('firmware'), station.firmware_version],
            [t('ocpp'), station.ocpp_version],
            [t('booted'), moment(station.booted_at)],
          ]}
        />
      )}
      {station?.booted_at && (
        <div className="mt-2">
          <FirstFrame station={id} />
        </div>
      )}
    </Panel>
  );
}

function Admission({ id, admission }: { id: string; admission: string }) {
  const [busy, setBusy] = useState(false);
  const decide = async (to: 'accepted' | 'rejected') => {
    setBusy(true);
    try {
      await data(
        api.PATCH('/api/v1/stations/{station_id}', {
          params: { path: { station_id: id } },
          body: { admission: to } as never,
        }),
      );
      if (to === 'accepted') toast('good', t('admitted'), id);
    } catch (fault) {
      toast('bad', t('failed'), fault instanceof Error ? fault.message : '');
    }
    setBusy(false);
  };
  return (
    <Panel title={t('admit.ask')}>
      <p className="flex gap-2">
        <ShieldQuestion aria-hidden size={16} className="mt-0.5 shrink-0 text-accent" />
        {t(admission === 'rejected' ? 'rejected' : 'admit.hint')}
      </p>
      <div className="mt-3 flex gap-2">
        <Button look="primary" busy={busy} onClick={() => void decide('accepted')}>
          {t('admit')}
        </Button>
        {admission !== 'rejected' && (
          <Button disabled={busy} onClick={() => void decide('rejected')}>
            {t('reject')}
          </Button>
        )}
      </div>
    </Panel>
  );
}
