import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { MessageSquareText, Square, TriangleAlert } from 'lucide-react';
import { useMemo, useState, type ReactNode } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { sessionQuery } from '@/api/queries';
import { CommandDialog, type Wish } from '@/commands/dialogs';
import {
  absolute,
  duration,
  energy,
  joined,
  mass,
  moment,
  number,
  percent,
  power,
} from '@/i18n/quantity';
import { displayName, useStation } from '@/live/hooks';
import { SessionLength } from '@/screens/sessions/list';
import { flagText, reasonText } from '@/screens/sessions/reason';
import { SessionState } from '@/screens/sessions/state';
import { t } from '@/screens/sessions/text';
import { Button } from '@/ui/button';
import { KpiStrip } from '@/ui/kpi';
import { LazyPlot } from '@/ui/lazy-plot';
import { PageBody, PageHeader, Panel } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { SessionEvents } from './events';
import { sessionRoute } from './route';

type SessionData = Schemas['Session'];
type Sample = Schemas['Sample'];

const FETCHED_MS = 5000;
const MOST_PAGES = 20;
/** Samples further apart than this have a gap between them, not a line. */
const GAP_S = 1800;

export function Session() {
  const { sessionId } = sessionRoute.useParams();
  const session = useQuery({
    ...sessionQuery(sessionId),
    refetchInterval: (query) => (query.state.data?.state === 'active' ? FETCHED_MS : false),
  });
  const back = { to: '/sessions', label: t('title') };
  if (session.isError || !session.data) {
    return (
      <>
        <PageHeader title={t('detail')} back={back} />
        <PageBody>
          <div className="panel">
            {session.isError ? (
              <ErrorState error={session.error} onRetry={() => void session.refetch()} />
            ) : (
              <LoadingRows />
            )}
          </div>
        </PageBody>
      </>
    );
  }
  return <Shown session={session.data} back={back} />;
}

function Shown({ session, back }: { session: SessionData; back: { to: string; label: string } }) {
  const station = useStation(session.station_id);
  const mayStop = useMay('call_stations');
  const maySee = useMay('view_messages');
  const [wish, setWish] = useState<Wish | null>(null);
  const name = displayName(session.station_id, station);
  const evse =
    session.state === 'active'
      ? station?.evses.find((each) => each.session_id === session.id)
      : undefined;
  const soc = evse?.soc ?? session.soc_percent;
  const now = power(session.state === 'active' ? (evse?.power_w ?? session.power_w) : null);
  const taken = energy(evse?.energy_wh ?? session.energy_wh);
  return (
    <>
      <PageHeader title={t('detail')} back={back} titleBelow />
      <PageBody>
        <div className="flex flex-wrap items-end justify-between gap-3">
          <div className="min-w-0">
            <h1 className="text-xl wrap-anywhere">
              {session.evse_id ? t('of', { station: name, evse: session.evse_id }) : name}
            </h1>
            <p className="flex flex-wrap gap-x-4 text-muted">
              <SessionState session={session} />
              <span>{moment(session.started_at)}</span>
              {session.token_uid && (
                <span className="font-mono text-xs leading-5">{session.token_uid}</span>
              )}
            </p>
          </div>
          <div className="no-print flex flex-wrap gap-2">
            {maySee && (
              <Link
                to="/messages"
                search={{ station: session.station_id }}
                className="inline-flex h-8 items-center gap-1.5 rounded-md border border-line-strong bg-surface px-3 font-medium hover:bg-hover"
              >
                <MessageSquareText aria-hidden size={15} />
                {t('frames')}
              </Link>
            )}
            {mayStop && session.state === 'active' && session.evse_id !== null && (
              <Button
                icon={Square}
                onClick={() =>
                  setWish({
                    act: 'stop',
                    stations: [session.station_id],
                    evseId: session.evse_id ?? undefined,
                  })
                }
              >
                {t('stop')}
              </Button>
            )}
          </div>
        </div>
        {session.review.length > 0 && (
          <div
            role="note"
            className="flex gap-2.5 rounded-lg bg-warning-soft px-4 py-3 text-warning"
          >
            <TriangleAlert aria-hidden size={16} className="mt-0.5 shrink-0" />
            <div>
              <p className="font-medium">{t('review.title')}</p>
              <p>{session.review.map(flagText).join(', ')}</p>
            </div>
          </div>
        )}
        <KpiStrip
          label={t('figures')}
          figures={[
            { label: t('energy'), value: taken.value, unit: taken.unit },
            { label: t('power'), value: now.value, unit: now.unit },
            { label: t('duration'), value: lengthOf(session) },
            { label: t('soc'), value: soc == null ? '–' : number(soc), unit: '%' },
            ...(session.origin
              ? [{ label: t('renewable'), ...percent(session.origin.renewable_percent) }]
              : []),
          ]}
        />
        <div className="grid gap-3 lg:grid-cols-[minmax(0,2fr)_minmax(280px,1fr)]">
          <SessionPlot session={session} />
          <Facts session={session} name={name} />
        </div>
        <SessionEvents session={session} />
      </PageBody>
      <CommandDialog wish={wish} onClose={() => setWish(null)} />
    </>
  );
}

function lengthOf(session: SessionData): string {
  const end = session.ended_at ? new Date(session.ended_at).getTime() : Date.now();
  return duration((end - new Date(session.started_at).getTime()) / 1000);
}

async function fetchSamples(id: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const found: { items: Sample[]; next: string | null } = await data(
      api.GET('/api/v1/sessions/{session_id}/samples', {
        params: {
          path: { session_id: id },
          query: { limit: 1000, ...(cursor ? { cursor } : {}) },
        },
      }),
    );
    samples.push(...found.items);
    cursor = found.next;
    if (!cursor || found.items.length === 0) break;
  }
  return samples;
}

/** Turn samples into the lists of a plot; power that is missing is derived from nothing: it stays a gap. */
export function plotOf(samples: Sample[]) {
  const times: number[] = [];
  const watts: (number | null)[] = [];
  const soc: (number | null)[] = [];
  for (const sample of samples) {
    const at = new Date(sample.at).getTime() / 1000;
    const before = times.at(-1);
    if (sample.power_w === null && sample.soc_percent === null) continue;
    if (before !== undefined && at <= before) continue;
    if (before !== undefined && at - before > GAP_S) {
      times.push(before + 1);
      watts.push(null);
      soc.push(null);
    }
    times.push(at);
    watts.push(sample.power_w === null ? null : sample.power_w / 1000);
    soc.push(sample.soc_percent);
  }
  return { times, watts, soc };
}

function SessionPlot({ session }: { session: SessionData }) {
  const samples = useQuery({
    queryKey: ['samples', session.id],
    queryFn: () => fetchSamples(session.id),
    refetchInterval: session.state === 'active' ? FETCHED_MS : false,
  });
  const plot = useMemo(() => plotOf(samples.data ?? []), [samples.data]);
  const hasSoc = plot.soc.some((value) => value !== null);
  const series = useMemo(
    () => [
      { label: t('plot.power'), colour: '--plot-1', fill: true },
      ...(hasSoc
        ? [{ label: t('plot.soc'), colour: '--plot-2', rightUnit: '%', decimals: 0 }]
        : []),
    ],
    [hasSoc],
  );
  const shown = useMemo(
    () => ({ times: plot.times, values: hasSoc ? [plot.watts, plot.soc] : [plot.watts] }),
    [plot, hasSoc],
  );
  return (
    <Panel title={t('plot')} note={<SessionLength session={session} />} className="min-h-80">
      {samples.isError ? (
        <ErrorState error={samples.error} onRetry={() => void samples.refetch()} />
      ) : plot.times.length === 0 && !samples.isPending ? (
        <EmptyState title={t('plot.none')}>{t('plot.none.hint')}</EmptyState>
      ) : (
        <LazyPlot
          label={t('plot')}
          unit="kW"
          series={series}
          data={shown}
          height="fill"
          name={`session-${session.id}`}
        />
      )}
    </Panel>
  );
}

/** A meter's register, as it stands on its display. */
function register(wattHours: number): string {
  return `${number(wattHours / 1000, 1)}\u00a0kWh`;
}

/** Where the energy came from and what it emitted, as far as that is known. */
function originFacts(session: SessionData): [string, ReactNode][] {
  const origin = session.origin;
  if (!origin) return [];
  const say = (wattHours: number) => joined(energy(wattHours));
  return [
    [
      t('fact.origin'),
      t('fact.origin.parts', {
        solar: say(origin.solar_wh),
        wind: say(origin.wind_wh),
        battery: say(origin.battery_wh),
        grid: say(origin.grid_wh),
      }),
    ],
    [t('fact.origin.unknown'), origin.unknown_wh > 0 ? say(origin.unknown_wh) : null],
    [t('fact.co2'), origin.co2_g === null ? null : joined(mass(origin.co2_g))],
    [
      t('fact.co2.marginal'),
      origin.marginal_co2_g === null ? null : joined(mass(origin.marginal_co2_g)),
    ],
  ];
}

function Facts({ session, name }: { session: SessionData; name: string }) {
  const lines: [string, ReactNode][] = [
    [
      t('fact.station'),
      <Link
        key="station"
        to="/stations/$stationId"
        params={{ stationId: session.station_id }}
        className="text-accent hover:underline"
      >
        {name}
      </Link>,
    ],
    [t('fact.token'), session.token_uid],
    [t('fact.verdict'), session.token_verdict],
    [t('fact.started'), absolute(session.started_at)],
    [t('fact.ended'), session.ended_at && absolute(session.ended_at)],
    [t('fact.reason'), reasonText(session.stop_reason)],
    [t('fact.charging_state'), session.ended_at ? null : session.charging_state],
    [
      t('fact.meter_start'),
      session.meter_start_wh === null ? null : register(session.meter_start_wh),
    ],
    [t('fact.meter_end'), session.meter_end_wh === null ? null : register(session.meter_end_wh)],
    [t('fact.remote'), session.remote_start_id === null ? null : t('fact.yes')],
    [t('fact.offline'), session.offline ? t('fact.yes') : null],
    [t('fact.settled'), session.settlement?.reason],
    ...originFacts(session),
    [t('fact.transaction'), session.transaction_id],
    [t('fact.id'), session.id],
  ];
  return (
    <Panel title={t('facts')}>
      <dl className="flex flex-col">
        {lines
          .filter(([, value]) => value != null && value !== '')
          .map(([label, value]) => (
            <div
              key={label}
              className="flex justify-between gap-4 border-t border-line py-1.5 first:border-0"
            >
              <dt className="shrink-0 text-muted">{label}</dt>
              <dd className="min-w-0 text-right break-words tabular">{value}</dd>
            </div>
          ))}
      </dl>
    </Panel>
  );
}
