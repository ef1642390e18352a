// Waits for the charger and says in words why it does not come in.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleAlert, Loader2, PlugZap } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { relative } from '@/i18n/quantity';
import { useNow, useStations } from '@/live/hooks';
import { Button } from '@/ui/button';
import { Panel } from '@/ui/page';
import { explain } from '@/screens/security/explain';
import { handshakesQuery } from '@/screens/security/handshakes';
import { probeOf } from './brands';
import { sortOut, type Handshake } from './failures';
import { t } from './text';

const SILENT_AFTER_MS = 45_000;

export function Waiting({
  station,
  address,
  onAdopt,
}: {
  /** The identity; none when any charger with the key will do. */
  station: string | undefined;
  address: string;
  onAdopt: (identity: string) => void;
}) {
  const [openedAt] = useState(() => Date.now());
  const now = useNow(1000);
  const mayLook = useMay('view_messages');
  const handshakes = useQuery({ ...handshakesQuery, enabled: mayLook });
  const { mine, others } = useMemo(
    () => sortOut(handshakes.data?.items ?? [], station, openedAt),
    [handshakes.data, station, openedAt],
  );
  const silent = mine.length + others.length === 0 && now - openedAt > SILENT_AFTER_MS;
  return (
    <Panel title={t('wait')} className="min-w-0">
      <div aria-live="polite" className="flex flex-col gap-3">
        <p className="flex items-center gap-2 font-medium">
          <Loader2 aria-hidden size={16} className="shrink-0 animate-spin text-accent" />
          {station ? t('wait.for', { station }) : t('wait.any')}
        </p>
        {mine.length > 0 && (
          <Failures title={t('wait.failed')} failures={mine} now={now} alarming />
        )}
        {others.length > 0 && (
          <Failures title={t('wait.others')} failures={others} now={now} onAdopt={onAdopt} />
        )}
        {!mayLook && <p className="text-muted">{t('wait.blind')}</p>}
        {silent && <Silence address={address} />}
        {!station && <Newcomers />}
        <p className="text-xs text-muted">{t('wait.hint')}</p>
      </div>
    </Panel>
  );
}

function Failures({
  title,
  failures,
  now,
  alarming = false,
  onAdopt,
}: {
  title: string;
  failures: Handshake[];
  now: number;
  alarming?: boolean;
  onAdopt?: (identity: string) => void;
}) {
  return (
    <section className={alarming ? 'rounded-md bg-warning-soft px-3 py-2' : ''}>
      <h3 className={`flex gap-2 font-medium ${alarming ? 'text-warning' : 'text-muted'}`}>
        <CircleAlert aria-hidden size={15} className="mt-0.5 shrink-0" />
        {title}
      </h3>
      <ul className="mt-1 flex flex-col gap-2">
        {failures.map((each) => (
          <li key={`${each.subject} ${each.remote_address} ${each.problem}`}>
            <p>{explain(each)}</p>
            <p className="flex flex-wrap items-center gap-x-2 text-xs text-muted">
              <span className="font-mono break-all">{each.subject}</span>
              <span>{each.remote_address}</span>
              <span>{t('times', { count: each.count, ago: relative(each.last_at, now) })}</span>
              {each.detail && <span className="break-all">{each.detail}</span>}
              {onAdopt && each.problem === 'unknown_identity' && (
                <Button small onClick={() => onAdopt(each.subject)}>
                  {t('adopt')}
                </Button>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Silence({ address }: { address: string }) {
  return (
    <section className="rounded-md border border-line px-3 py-2">
      <h3 className="font-medium">{t('wait.silent')}</h3>
      <ul className="mt-1 list-disc pl-5 text-muted">
        <li>{t('wait.silent.address')}</li>
        <li>{t('wait.silent.network')}</li>
        <li>
          {t('wait.silent.probe')}
          <code className="mt-1 block font-mono text-xs break-all text-text select-all">
            {probeOf(address)}
          </code>
        </li>
      </ul>
    </section>
  );
}

/** Those that came with an enrolment key. */
function Newcomers() {
  const stations = useStations(1000);
  const waiting = stations.filter((station) => station.admission === 'pending');
  if (waiting.length === 0) return null;
  return (
    <section>
      <h3 className="font-medium">{t('newcomers')}</h3>
      <ul className="mt-1 flex flex-col">
        {waiting.map((station) => (
          <li
            key={station.id}
            className="relative flex items-center gap-2 rounded-md px-2 py-1.5 hover:bg-hover"
          >
            <PlugZap aria-hidden size={15} className="text-accent" />
            <Link
              to="/onboarding"
              search={{ step: 'check', station: station.id }}
              className="font-medium after:absolute after:inset-0"
            >
              {station.id}
            </Link>
            <span className="text-xs text-muted">{`${station.vendor} ${station.model}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const firstFrame = (messages: Schemas['StationMessage'][]) =>
  messages.findLast((each) => each.type === 'call' && each.action === 'BootNotification') ??
  messages.at(-1);

/** The first frame that came, as it went over the wire. */
export function FirstFrame({ station }: { station: string }): ReactNode {
  const mayLook = useMay('view_messages');
  const query = useQuery({
    queryKey: ['first-frame', station],
    queryFn: () =>
      data(
        api.GET('/api/v1/stations/{station_id}/messages', {
          params: { path: { station_id: station }, query: { limit: 100 } },
        }),
      ),
    enabled: mayLook,
    refetchInterval: (one) => (one.state.data?.items.length ? false : 1500),
  });
  const first = firstFrame(query.data?.items ?? []);
  if (!first) return null;
  return (
    <details>
      <summary className="min-h-6 cursor-pointer text-xs text-muted">
        {t('first')}: {first.action}
      </summary>
      <pre
        // Scrolled by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={first.action}
        className="mt-1 max-h-56 overflow-auto rounded-md border border-line bg-sunken px-3 py-2 font-mono text-xs"
      >
        {JSON.stringify(first.payload, null, 2)}
      </pre>
    </details>
  );
}
