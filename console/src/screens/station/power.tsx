// The power of a station's EVSEs over the last hour: samples of its sessions, and what comes live.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { api, data } from '@/api/client';
import { joined, power } from '@/i18n/quantity';
import { useNow } from '@/live/hooks';
import { live } from '@/live/store';
import type { LiveStation, PowerPoint } from '@/live/types';
import { LazyPlot } from '@/ui/lazy-plot';
import { Panel } from '@/ui/page';
import { align } from './lines';
import { t } from './text';

const WINDOW_S = 3600;
const SESSIONS = 12;
const COLOURS = ['--plot-1', '--plot-2', '--plot-3', '--plot-limit'];
type Lines = Map<number, PowerPoint[]>;

/** Fetch the power samples of the sessions of the last hour, by EVSE. */
async function fetchLines(stationId: string): Promise<Lines> {
  const sessions = await data(
    api.GET('/api/v1/sessions', {
      params: { query: { station_id: stationId, limit: SESSIONS } },
    }),
  );
  const since = Date.now() - WINDOW_S * 1000;
  const wanted = sessions.items.filter(
    (session) => session.ended_at === null || new Date(session.ended_at).getTime() > since,
  );
  const lines: Lines = new Map();
  await Promise.all(
    wanted.map(async (session) => {
      const samples = await data(
        api.GET('/api/v1/sessions/{session_id}/samples', {
          params: { path: { session_id: session.id }, query: { limit: 1000 } },
        }),
      );
      const line = lines.get(session.evse_id ?? 1) ?? [];
      lines.set(session.evse_id ?? 1, line);
      for (const sample of samples.items) {
        if (sample.power_w !== null) line.push([Date.parse(sample.at) / 1000, sample.power_w]);
      }
      // Before and after a session there is no power: that is known, not missing.
      line.push([Date.parse(session.started_at) / 1000 - 0.5, 0]);
      if (session.ended_at) line.push([Date.parse(session.ended_at) / 1000 + 0.5, 0]);
    }),
  );
  for (const line of lines.values()) line.sort(([a], [b]) => a - b);
  return lines;
}

/** Gather what the live picture says of the station while it is looked at. */
function useSeen(stationId: string): Lines {
  const [seen, setSeen] = useState<Lines>(() => new Map());
  useEffect(() => {
    const lines: Lines = new Map();
    const note = () => {
      const station = live.station(stationId);
      if (!station) return;
      const at = Date.now() / 1000;
      for (const evse of station.evses) {
        const line = lines.get(evse.id) ?? [];
        lines.set(evse.id, line);
        line.push([at, station.connected ? evse.power_w : 0]);
        if (line.length > WINDOW_S) line.shift();
      }
      setSeen(new Map(lines));
    };
    note();
    const end = live.subscribeStation(stationId, note);
    const timer = setInterval(note, 5000);
    return () => {
      end();
      clearInterval(timer);
    };
  }, [stationId]);
  return seen;
}

export function StationPower({ station }: { station: LiveStation }) {
  const stored = useQuery({
    queryKey: ['station-power', station.id],
    queryFn: () => fetchLines(station.id),
    staleTime: 60_000,
  });
  const seen = useSeen(station.id);
  const now = useNow(2000) / 1000;
  const evses = station.evses.map((evse) => evse.id).join();
  const numbers = useMemo(() => evses.split(',').filter(Boolean).map(Number).slice(0, 4), [evses]);
  const series = useMemo(
    () =>
      numbers.map((number, index) => ({
        label: t('plot.evse', { number }),
        colour: COLOURS[index] ?? '--plot-1',
        fill: numbers.length === 1,
        stepped: true,
      })),
    [numbers],
  );
  const shown = useMemo(() => {
    const lines = numbers.map((number) => {
      const fresh = seen.get(number) ?? [];
      const begin = fresh[0]?.[0] ?? Infinity;
      return [...(stored.data?.get(number) ?? []).filter(([at]) => at < begin), ...fresh];
    });
    return align(lines, Date.now() / 1000 - WINDOW_S);
  }, [numbers, seen, stored.data]);
  const first = shown.times[0] ?? now;
  return (
    <Panel
      title={t('plot')}
      note={`${t('plot.note')}, ${joined(power(station.power_w))}`}
      className="min-h-72"
    >
      <LazyPlot
        label={t('plot')}
        unit="kW"
        series={series}
        data={shown}
        from={Math.max(now - WINDOW_S, Math.min(first, now - 300))}
        to={now}
        height="fill"
        name={`power-${station.id}`}
      />
    </Panel>
  );
}
