// Asks before a command is given: what it is for, and what follows from it.
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { energy, joined } from '@/i18n/quantity';
import { live } from '@/live/store';
import type { LiveEvse, LiveStation } from '@/live/types';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, Input, Select } from '@/ui/fields';
import { statusWord } from '@/ui/status';
import { giveCommand, type Command } from './give';
import { t } from './text';

export const ACTS = [
  'start',
  'stop',
  'reset',
  'unlock',
  'out',
  'in',
  'trigger',
  'clear_cache',
] as const;
export type Act = (typeof ACTS)[number];

/** What is to be done, and where. `evseId` narrows it to one EVSE of one station. */
export interface Wish {
  act: Act;
  stations: string[];
  evseId?: number | undefined;
}

const TYPED_FROM = 10;

function stationsOf(wish: Wish): LiveStation[] {
  return wish.stations.map((id) => live.station(id)).filter((each) => each !== undefined);
}

function sessionsOf(stations: LiveStation[]): number {
  return stations.reduce(
    (sum, station) => sum + station.evses.filter((evse) => evse.session_id).length,
    0,
  );
}

/** The dialog for a wish; nothing when there is none. */
export function CommandDialog({ wish, onClose }: { wish: Wish | null; onClose: () => void }) {
  return wish ? (
    <OpenDialog key={`${wish.act} ${wish.stations.join()}`} wish={wish} onClose={onClose} />
  ) : null;
}

function OpenDialog({ wish, onClose }: { wish: Wish; onClose: () => void }) {
  const stations = stationsOf(wish);
  const only = stations.length === 1 ? stations[0] : undefined;
  const [token, setToken] = useState('');
  const [evse, setEvse] = useState(String(wish.evseId ?? firstEvse(wish.act, only) ?? ''));
  const [mode, setMode] = useState('soft');
  const [busy, setBusy] = useState(false);
  const name = only
    ? only.name || only.id
    : wish.stations.length === 1
      ? (wish.stations[0] ?? '')
      : t('stations', { count: wish.stations.length });
  const chosen = only?.evses.find((each) => String(each.id) === evse);
  const offline = stations.filter((station) => !station.connected).length;
  const act = t(wish.act);
  const title =
    wish.act === 'trigger' || wish.act === 'clear_cache'
      ? act
      : t(`title.${wish.act}`, { station: name });
  const missing = (wish.act === 'start' && !token.trim()) || (wish.act === 'stop' && !evse);

  const confirm = () => {
    setBusy(true);
    const command = commandOf(wish.act, { token: token.trim(), evse, mode });
    void giveCommand(act, command, wish.stations);
    onClose();
  };

  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      action={act}
      destructive={['stop', 'reset', 'out'].includes(wish.act)}
      typed={wish.stations.length > TYPED_FROM ? String(wish.stations.length) : undefined}
      busy={busy}
      disabled={missing}
      onConfirm={confirm}
      consequence={
        <>
          <p>{consequence(wish.act, stations, chosen, mode)}</p>
          {offline > 0 && <p className="mt-2 text-warning">{t('offline', { count: offline })}</p>}
        </>
      }
    >
      {wish.act === 'start' && <TokenField value={token} onValue={setToken} />}
      {(wish.act === 'start' || wish.act === 'unlock' || wish.act === 'stop') && only && (
        <EvseField act={wish.act} station={only} value={evse} onValue={setEvse} />
      )}
      {wish.act === 'reset' && (
        <Field label={t('field.mode')}>
          <Select value={mode} onChange={(event) => setMode(event.target.value)}>
            <option value="soft">{t('mode.soft')}</option>
            <option value="hard">{t('mode.hard')}</option>
            <option value="on_idle">{t('mode.on_idle')}</option>
          </Select>
        </Field>
      )}
    </ConfirmDialog>
  );
}

function firstEvse(act: Act, station: LiveStation | undefined): number | undefined {
  if (!station) return undefined;
  if (act === 'stop') return station.evses.find((evse) => evse.session_id)?.id;
  if (act === 'unlock') return station.evses[0]?.id;
  if (act === 'start' && station.evses.length === 1) return station.evses[0]?.id;
  return undefined;
}

function consequence(
  act: Act,
  stations: LiveStation[],
  evse: LiveEvse | undefined,
  mode: string,
): string {
  const count = sessionsOf(stations);
  switch (act) {
    case 'stop':
      return evse
        ? t('consequence.stop', { evse: evse.id, energy: joined(energy(evse.energy_wh)) })
        : t('consequence.sessions', { count });
    case 'reset':
      return mode === 'on_idle'
        ? t('consequence.reset.idle')
        : `${t('consequence.reset')} ${t('consequence.sessions', { count })}`;
    case 'out':
      return t('consequence.out', { count });
    default:
      return t(`consequence.${act}`);
  }
}

/** Build the command of an act from what was filled in. */
export function commandOf(
  act: Act,
  filled: { token: string; evse: string; mode: string },
): Command {
  const evse = filled.evse ? { evse_id: Number(filled.evse) } : {};
  switch (act) {
    case 'start':
      return { command: 'start_charging', token_uid: filled.token, ...evse };
    case 'stop':
      return { command: 'stop_charging', ...evse };
    case 'reset':
      return { command: 'reset', mode: filled.mode };
    case 'unlock':
      return { command: 'unlock', ...evse };
    case 'out':
    case 'in':
      return { command: 'set_availability', available: act === 'in' };
    case 'trigger':
      return { command: 'trigger', message: 'status_notification' };
    case 'clear_cache':
      return { command: 'clear_cache' };
  }
}

function TokenField({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const list = useId();
  const may = useMay('view_tokens');
  const tokens = useQuery({
    queryKey: ['tokens', 'some'],
    queryFn: () => data(api.GET('/api/v1/tokens', { params: { query: { limit: 200 } } })),
    enabled: may,
  });
  return (
    <>
      <Field label={t('field.token')} hint={t('field.token.hint')}>
        <Input
          list={list}
          value={value}
          onChange={(event) => onValue(event.target.value)}
          autoComplete="off"
          required
        />
      </Field>
      <datalist id={list}>
        {tokens.data?.items.map((token) => (
          <option key={token.uid} value={token.uid} />
        ))}
      </datalist>
    </>
  );
}

function EvseField({
  act,
  station,
  value,
  onValue,
}: {
  act: Act;
  station: LiveStation;
  value: string;
  onValue: (value: string) => void;
}) {
  const evses = act === 'stop' ? station.evses.filter((evse) => evse.session_id) : station.evses;
  return (
    <Field label={t('field.evse')}>
      <Select value={value} onChange={(event) => onValue(event.target.value)}>
        {act === 'start' && <option value="">{t('field.evse.any')}</option>}
        {evses.map((evse) => (
          <option key={evse.id} value={evse.id}>
            {t('evse.status', { number: evse.id, status: statusWord(evse.status) })}
          </option>
        ))}
      </Select>
    </Field>
  );
}
