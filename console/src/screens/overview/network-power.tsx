// The network's power over the last while.
import { useMemo } from 'react';
import { joined, power } from '@/i18n/quantity';
import { useLive } from '@/live/hooks';
import type { PowerPoint } from '@/live/types';
import { LazyPlot } from '@/ui/lazy-plot';
import { Panel } from '@/ui/page';
import { usePowerHistory } from './power-history';
import { t } from './text';

const WINDOW_S = 3600;
/** A pause longer than this is a gap, not a line. */
const GAP_S = 150;

/** Join what the server remembers with what this browser has seen live since. */
export function joinHistory(stored: PowerPoint[], seen: PowerPoint[], megawatts: boolean) {
  const divisor = megawatts ? 1e6 : 1e3;
  const begin = seen[0]?.[0] ?? Infinity;
  const points = [...stored.filter(([at]) => at < begin), ...seen];
  const times: number[] = [];
  const values: (number | null)[] = [];
  for (const [at, watts] of points) {
    const before = times.at(-1);
    if (before !== undefined && at - before > GAP_S) {
      times.push(before + 1);
      values.push(null);
    }
    times.push(at);
    values.push(watts / divisor);
  }
  return { times, values: [values] };
}

export function NetworkPower() {
  // Once a second is enough: the plot is drawn whole each time.
  const second = useLive((store) => store.history.at(-1)?.[0] ?? 0);
  const seen = useLive((store) => store.history);
  const now = useLive((store) => store.kpi?.power_w ?? 0);
  const stored = usePowerHistory();
  const megawatts = now >= 1e6;
  const end = second || Math.floor(Date.now() / 1000);
  const plotted = useMemo(
    () => joinHistory(stored, seen, megawatts),
    // `seen` is one list that grows; `second` says when.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [stored, second, megawatts],
  );
  const first = plotted.times[0] ?? end;
  const from = Math.max(end - WINDOW_S, Math.min(first, end - 120));
  const series = useMemo(
    () => [{ label: t('plot'), colour: '--plot-1', fill: true, decimals: megawatts ? 2 : 1 }],
    [megawatts],
  );
  return (
    <Panel
      title={t('plot')}
      note={`${t('plot.window', { minutes: Math.max(1, Math.round((end - from) / 60)) })}, ${joined(power(now))}`}
      className="min-h-64"
    >
      <LazyPlot
        label={t('plot')}
        unit={megawatts ? 'MW' : 'kW'}
        series={series}
        data={plotted}
        from={from}
        to={end}
        height="fill"
        name="power"
      />
    </Panel>
  );
}
