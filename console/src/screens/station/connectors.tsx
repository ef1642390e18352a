import { Link } from '@tanstack/react-router';
import { Play, Square, Unplug } from 'lucide-react';
import { useMay } from '@/api/me';
import type { Wish } from '@/commands/dialogs';
import { duration, energy, joined, number, power } from '@/i18n/quantity';
import { useNow } from '@/live/hooks';
import type { LiveEvse, LiveStation } from '@/live/types';
import { Button } from '@/ui/button';
import { Figure, Flash } from '@/ui/live';
import { Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { StatusBadge } from '@/ui/status';
import { t } from './text';

/** What every EVSE does now. */
export function Connectors({
  station,
  onWish,
}: {
  station: LiveStation;
  onWish: (wish: Wish) => void;
}) {
  return (
    <Panel flush title={t('connectors')}>
      {station.evses.length === 0 ? (
        <EmptyState icon={Unplug} title={t('connectors.none')}>
          {t('connectors.none.hint')}
        </EmptyState>
      ) : (
        <ul className="flex flex-col overflow-y-auto">
          {station.evses.map((evse) => (
            <Evse key={evse.id} station={station} evse={evse} onWish={onWish} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Evse({
  station,
  evse,
  onWish,
}: {
  station: LiveStation;
  evse: LiveEvse;
  onWish: (wish: Wish) => void;
}) {
  const may = useMay('call_stations');
  const act = evse.session_id ? 'stop' : 'start';
  return (
    <li className="border-t border-line px-4 py-3">
      <div className="flex items-center gap-3">
        <span className="w-3 font-semibold tabular" title={t('evse', { number: evse.id })}>
          {evse.id}
        </span>
        <Flash value={evse.status} className="-mx-1 px-1">
          <StatusBadge word={station.connected ? evse.status : 'offline'} fine />
        </Flash>
        {evse.error_code && <span className="truncate text-xs text-danger">{evse.error_code}</span>}
        <span className="ml-auto" />
        {evse.session_id && (
          <Flash value={evse.power_w} className="-mx-1 px-1">
            <Figure quantity={power(evse.power_w)} className="font-semibold" />
          </Flash>
        )}
        {may && (
          <Button
            small
            icon={act === 'stop' ? Square : Play}
            aria-label={t(`evse.${act}.at`, { number: evse.id })}
            onClick={() => onWish({ act, stations: [station.id], evseId: evse.id })}
          >
            {t(`evse.${act}`)}
          </Button>
        )}
      </div>
      {evse.session_id && <Running evse={evse} sessionId={evse.session_id} />}
    </li>
  );
}

function Running({ evse, sessionId }: { evse: LiveEvse; sessionId: string }) {
  const now = useNow(5000);
  const seconds = evse.started_at ? (now - Date.parse(evse.started_at)) / 1000 : 0;
  return (
    <div className="mt-2 pl-6">
      {evse.soc != null && (
        <div
          role="meter"
          aria-label={t('evse.soc', { soc: `${number(evse.soc)} %` })}
          aria-valuenow={evse.soc}
          aria-valuemin={0}
          aria-valuemax={100}
          className="mb-1.5 h-1.5 overflow-hidden rounded-full bg-line"
        >
          <div
            className="h-full rounded-full bg-[var(--status-charging)]"
            style={{ width: `${Math.min(100, evse.soc)}%` }}
          />
        </div>
      )}
      <p className="flex flex-wrap gap-x-3 text-xs text-muted tabular">
        <span>
          {t('evse.details', {
            energy: joined(energy(evse.energy_wh)),
            duration: duration(seconds),
          })}
        </span>
        {evse.soc != null && <span>{t('evse.soc', { soc: `${number(evse.soc)} %` })}</span>}
        {evse.token_uid && (
          <span>
            {t('evse.token')} <span className="font-mono">{evse.token_uid}</span>
          </span>
        )}
        <Link
          to="/sessions/$sessionId"
          params={{ sessionId }}
          className="ml-auto text-accent hover:underline"
        >
          {t('evse.session')}
        </Link>
      </p>
    </div>
  );
}
