// Why each connector gets what it gets, in words, and whether its station has taken it.
import {
  Ban,
  CalendarClock,
  CarFront,
  CircleCheck,
  CircleDashed,
  CircleSlash,
  Clock,
  Hand,
  Hourglass,
  Plug,
  TrendingUp,
  TriangleAlert,
  WifiOff,
  Zap,
  type LucideIcon,
} from 'lucide-react';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useMay } from '@/api/me';
import { language } from '@/i18n';
import { energy, joined, number, shortClock } from '@/i18n/quantity';
import { IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { DataTable, type Column } from '@/ui/data-table';
import { Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { nameOf } from './amounts';
import type { EnergyLive, EvseState } from './questions';
import { t } from './text';

const REASONS = {
  no_car: Plug,
  evse: CircleCheck,
  car: CarFront,
  full: CircleCheck,
  fuse: Zap,
  queue: Hourglass,
  pause: Clock,
  plan: CalendarClock,
  ramp: TrendingUp,
  stale: TriangleAlert,
  offline: WifiOff,
  override: Hand,
} satisfies Record<string, LucideIcon>;
type Reason = keyof typeof REASONS;

const isReason = (word: string): word is Reason => word in REASONS;

/** The reason in the reader's language. The server says it in English, with what it knows beyond the reason. */
export function whyWords(evse: EvseState, now: EnergyLive): string {
  const reason = evse.reason;
  if (language === 'en' || !isReason(reason)) return evse.explanation;
  if ((reason === 'fuse' || reason === 'queue') && evse.binding) {
    const { binding } = evse;
    const node = now.nodes.find((each) => each.id === binding.node_id);
    return t(reason === 'fuse' ? 'why.fuse' : 'why.queue', {
      place: `${node ? nameOf(node) : binding.node_id} ${binding.phase ?? ''}`.trim(),
      used: number(binding.used),
      limit: number(binding.limit),
      unit: binding.phase === null ? 'W' : 'A',
      base: number(binding.base),
      others: binding.others.filter((other) => other.key !== evse.key).length,
    });
  }
  if (reason === 'fuse' || reason === 'queue') return t(`reason.${reason}`);
  return t(`why.${reason}`, { amps: number(evse.offline_bound_a, 1) });
}

const DRIVES = {
  idle: CircleDashed,
  sending: Clock,
  confirmed: CircleCheck,
  rejecting: Ban,
  ignoring: CircleSlash,
  offline: WifiOff,
  unprepared: TriangleAlert,
} satisfies Record<EvseState['drive'], LucideIcon>;
const TROUBLE: EvseState['drive'][] = ['rejecting', 'ignoring', 'offline', 'unprepared'];

function Drive({ evse }: { evse: EvseState }) {
  const Icon = DRIVES[evse.drive];
  return (
    <span
      title={evse.drive_detail || undefined}
      className={classes(
        'inline-flex items-center gap-1.5 text-xs',
        TROUBLE.includes(evse.drive) ? 'text-warning' : 'text-muted',
      )}
    >
      <Icon aria-hidden size={14} className="shrink-0" />
      {t(`drive.${evse.drive}`)}
    </span>
  );
}

function drawnA(evse: EvseState): number | null {
  return evse.drawn_a && evse.drawn_a.length > 0 ? Math.max(...evse.drawn_a) : null;
}

function Amps({ evse }: { evse: EvseState }) {
  const drawn = drawnA(evse);
  return (
    <span className={classes('tabular', !evse.connected && 'text-muted')}>
      {drawn === null ? '–' : number(drawn, 1)}
      <span className="text-muted"> / {number(evse.limit_a, 1)} A</span>
    </span>
  );
}

function Why({ evse, now }: { evse: EvseState; now: EnergyLive }) {
  const Icon = isReason(evse.reason) ? REASONS[evse.reason] : Zap;
  return (
    <span className="flex min-w-0 items-start gap-2" title={evse.explanation}>
      <Icon aria-hidden size={15} className="mt-0.5 shrink-0 text-muted" />
      <span className="line-clamp-2 whitespace-normal">{whyWords(evse, now)}</span>
    </span>
  );
}

function wants(evse: EvseState): string {
  return [
    evse.wished_wh === null
      ? ''
      : `${joined(energy(evse.energy_wh ?? 0))} / ${joined(energy(evse.wished_wh))}`,
    evse.departure_at != null
      ? t('evse.leaves', { at: shortClock(evse.departure_at) })
      : evse.expected_departure_at != null
        ? t('evse.expected', { at: shortClock(evse.expected_departure_at) })
        : '',
  ]
    .filter(Boolean)
    .join(', ');
}

export function Reasons({
  now,
  onOverride,
}: {
  now: EnergyLive;
  onOverride: (evse: string) => void;
}) {
  const may = useMay('override_energy');
  const columns = useMemo(() => columnsOf(now, may ? onOverride : null), [now, may, onOverride]);
  const rows = useMemo(
    () => now.evses.toSorted((a, b) => Number(b.connected) - Number(a.connected)),
    [now.evses],
  );
  return (
    <Panel
      title={t('reasons')}
      note={t('reasons.note')}
      flush
      className="h-[460px] min-h-72 shrink-0"
    >
      <DataTable
        label={t('reasons')}
        rows={rows}
        rowKey={(evse) => evse.key}
        columns={columns}
        rowHeight={48}
        phoneRow={(evse) => (
          <div className="text-xs">
            <p className="flex items-center gap-2 text-sm">
              <span className="min-w-0 flex-1 truncate font-medium">{evse.key}</span>
              <Amps evse={evse} />
            </p>
            <p className="line-clamp-2 leading-4 whitespace-normal text-muted">
              {whyWords(evse, now)}
            </p>
          </div>
        )}
        empty={<EmptyState title={t('reasons.none')}>{t('reasons.none.hint')}</EmptyState>}
      />
    </Panel>
  );
}

function columnsOf(
  now: EnergyLive,
  onOverride: ((evse: string) => void) | null,
): Column<EvseState>[] {
  const names = new Map(now.nodes.map((node) => [node.id, nameOf(node)]));
  const columns: Column<EvseState>[] = [
    {
      id: 'evse',
      header: t('evse'),
      width: 'minmax(120px, 150px)',
      cell: (evse) => (
        <Link
          to="/stations/$stationId"
          params={{ stationId: evse.station_id }}
          search={{ tab: 'charging' }}
          className="hover:underline"
        >
          {evse.key}
        </Link>
      ),
    },
    {
      id: 'place',
      header: t('evse.place'),
      width: 'minmax(120px, 170px)',
      cell: (evse) => (
        <span className="text-muted">
          {names.get(evse.node_id)} {evse.lines.length < 3 ? evse.lines.join(' ') : ''}
        </span>
      ),
    },
    {
      id: 'amps',
      header: t('evse.amps'),
      width: '120px',
      align: 'right',
      cell: (evse) => <Amps evse={evse} />,
    },
    {
      id: 'why',
      header: t('evse.why'),
      width: 'minmax(280px, 1fr)',
      cell: (evse) => <Why evse={evse} now={now} />,
    },
    {
      id: 'wants',
      header: t('evse.wants'),
      width: '190px',
      cell: (evse) => <span className="text-muted tabular">{wants(evse)}</span>,
    },
    {
      id: 'drive',
      header: t('evse.drive'),
      width: '150px',
      cell: (evse) => <Drive evse={evse} />,
    },
  ];
  if (onOverride) {
    columns.push({
      id: 'override',
      header: '',
      width: '40px',
      cell: (evse) => (
        <IconButton
          icon={Hand}
          label={t('override.at', { what: evse.key })}
          onClick={() => onOverride(evse.key)}
        />
      ),
    });
  }
  return columns;
}
