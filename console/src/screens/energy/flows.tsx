// Where power flows now, at one look: what gives on the left, what takes on the right, as thick as it is strong.
import {
  BatteryCharging,
  Building2,
  Plug,
  Sun,
  UtilityPole,
  Wind,
  type LucideIcon,
} from 'lucide-react';
import { joined, number, percent, power } from '@/i18n/quantity';
import { Figure } from '@/ui/live';
import { Panel } from '@/ui/page';
import type { EnergyLive } from './questions';
import { t } from './text';

interface Party {
  id: string;
  label: string;
  icon: LucideIcon;
  watts: number | null;
  note?: string;
  colour: string;
}

const ROW = 76;
/** Below this nothing is said to flow. */
const STILL_W = 50;

/** Put every party on the side on which it is now: the grid takes when power is fed in, a battery while it fills. */
function sides(now: EnergyLive): [Party[], Party[]] {
  const flows = now.flows;
  const gives: Party[] = [];
  const takes: Party[] = [];
  const put = (party: Party, givesWhenPositive = true) => {
    const isGiving = (party.watts ?? 0) >= 0 === givesWhenPositive;
    (isGiving ? gives : takes).push({
      ...party,
      watts: party.watts === null ? null : Math.abs(party.watts),
    });
  };
  const grid = flows.grid_w;
  put({
    id: 'grid',
    label: t(grid !== null && grid < -STILL_W ? 'flow.grid.in' : 'flow.grid'),
    icon: UtilityPole,
    watts: grid,
    colour: '--plot-1',
    ...(now.price_per_kwh !== null && (grid ?? 0) >= 0
      ? { note: `${number(now.price_per_kwh, 2)} ${now.currency}/kWh` }
      : {}),
  });
  put({
    id: 'solar',
    label: t('flow.solar'),
    icon: Sun,
    watts: flows.solar_w,
    colour: '--plot-limit',
  });
  if (flows.wind_w > 0) {
    put({ id: 'wind', label: t('flow.wind'), icon: Wind, watts: flows.wind_w, colour: '--plot-2' });
  }
  if (flows.battery_soc_percent !== null || flows.battery_w !== 0) {
    put({
      id: 'battery',
      label: t(flows.battery_w < -STILL_W ? 'flow.battery.in' : 'flow.battery'),
      icon: BatteryCharging,
      watts: flows.battery_w,
      colour: '--plot-3',
      ...(flows.battery_soc_percent !== null
        ? { note: t('flow.soc', { soc: joined(percent(flows.battery_soc_percent)) }) }
        : {}),
    });
  }
  takes.unshift({
    id: 'chargers',
    label: t('flow.chargers'),
    icon: Plug,
    watts: flows.chargers_w,
    colour: '--status-charging',
    note: t('flow.cars', { count: now.evses.filter((each) => each.connected).length }),
  });
  takes.push({
    id: 'base',
    label: t('flow.base'),
    icon: Building2,
    watts: flows.base_w === null ? null : Math.max(0, flows.base_w),
    colour: '--faint',
  });
  return [gives, takes];
}

export function EnergyFlows({ now }: { now: EnergyLive }) {
  const [gives, takes] = sides(now);
  const rows = Math.max(gives.length, takes.length);
  const height = rows * ROW;
  const most = Math.max(1000, ...[...gives, ...takes].map((each) => each.watts ?? 0));
  const renewable = now.flows.renewable_percent;
  return (
    <Panel
      title={t('flows')}
      note={
        renewable === null ? undefined : t('flow.renewable', { share: joined(percent(renewable)) })
      }
    >
      <div
        className="grid grid-cols-[minmax(104px,auto)_minmax(48px,1fr)_minmax(104px,auto)] items-stretch"
        style={{ height }}
      >
        <Side parties={gives} />
        <Streams gives={gives} takes={takes} height={height} most={most} />
        <Side parties={takes} />
      </div>
    </Panel>
  );
}

function Side({ parties }: { parties: Party[] }) {
  return (
    <ul className="flex flex-col justify-around">
      {parties.map((party) => (
        <li
          key={party.id}
          className="flex items-center gap-2.5 rounded-lg border border-line px-3 max-sm:gap-2 max-sm:px-2"
          style={{ height: ROW - 10 }}
        >
          <party.icon
            aria-hidden
            size={18}
            className="shrink-0"
            style={{ color: `var(${party.colour})` }}
          />
          <div className="min-w-0 leading-4">
            <p className="text-xs text-muted">{party.label}</p>
            <p className="text-base font-semibold">
              <Figure quantity={power(party.watts)} />
            </p>
            {party.note && <p className="text-xs text-muted tabular">{party.note}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Streams({
  gives,
  takes,
  height,
  most,
}: {
  gives: Party[];
  takes: Party[];
  height: number;
  most: number;
}) {
  const place = (index: number, count: number) => ((index + 0.5) / count) * height;
  const middle = height / 2;
  const line = (party: Party, path: string) => {
    const watts = party.watts ?? 0;
    const isStill = watts < STILL_W;
    return (
      <g key={party.id}>
        <path
          d={path}
          fill="none"
          vectorEffect="non-scaling-stroke"
          style={{ stroke: isStill ? 'var(--line-strong)' : `var(${party.colour})` }}
          strokeWidth={isStill ? 1 : 2 + (watts / most) * 12}
          strokeOpacity={isStill ? 1 : 0.28}
          strokeDasharray={isStill ? '2 4' : undefined}
        />
        {!isStill && (
          <path
            d={path}
            fill="none"
            vectorEffect="non-scaling-stroke"
            className="energy-stream"
            style={{ stroke: `var(${party.colour})` }}
            strokeWidth={2}
            strokeDasharray="3 11"
            strokeLinecap="round"
          />
        )}
      </g>
    );
  };
  return (
    <svg
      aria-hidden
      viewBox={`0 0 100 ${height}`}
      preserveAspectRatio="none"
      className="h-full w-full"
    >
      {gives.map((party, index) => {
        const y = place(index, gives.length);
        return line(party, `M0,${y} C34,${y} 22,${middle} 50,${middle}`);
      })}
      {takes.map((party, index) => {
        const y = place(index, takes.length);
        return line(party, `M50,${middle} C78,${middle} 66,${y} 100,${y}`);
      })}
    </svg>
  );
}
