// What needs a person, the most urgent first.
import { Link } from '@tanstack/react-router';
import {
  Clock4,
  CreditCard,
  ShieldQuestion,
  TriangleAlert,
  Unplug,
  type LucideIcon,
} from 'lucide-react';
import { useTold, type told } from '@/api/told';
import { useLive, useStation } from '@/live/hooks';
import type { LiveMatter } from '@/live/types';
import { Ago } from '@/ui/live';
import { Panel } from '@/ui/page';
import { EmptyState, LoadingRows } from '@/ui/states';
import { t } from './text';

const KINDS: Record<string, [LucideIcon, string]> = {
  faulted: [TriangleAlert, 'text-[var(--status-faulted)]'],
  stuck_session: [Clock4, 'text-[var(--status-unavailable)]'],
  offline: [Unplug, 'text-[var(--status-offline)]'],
  pending: [ShieldQuestion, 'text-accent'],
  failed_payment: [CreditCard, 'text-[var(--status-unavailable)]'],
};

const WORDS = ['faulted', 'stuck_session', 'offline', 'pending', 'failed_payment'] as const;

function wordOf(kind: string): string {
  const known = WORDS.find((each) => each === kind);
  return t(known ? `matter.${known}` : 'matter.other');
}

export function Matters() {
  const ready = useLive((store) => store.ready);
  const matters = useLive((store) => store.attention);
  const counts = useLive((store) => store.kpi?.attention);
  const total = counts ? Object.values(counts).reduce((sum, each) => sum + each, 0) : 0;
  return (
    <Panel
      flush
      title={t('matters')}
      note={total > 0 ? total : undefined}
      className="min-h-52 max-lg:max-h-96"
    >
      {!ready ? (
        <LoadingRows />
      ) : matters.length === 0 ? (
        <EmptyState title={t('matters.none')}>{t('matters.none.hint')}</EmptyState>
      ) : (
        <ul
          // Scrolled by keyboard.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          aria-label={t('matters')}
          className="min-h-0 flex-1 overflow-y-auto border-t border-line focus-visible:-outline-offset-2"
        >
          {matters.map((matter) => (
            <Matter
              key={`${matter.kind} ${matter.station_id} ${matter.evse_id ?? ''} ${matter.session_id ?? ''}`}
              matter={matter}
            />
          ))}
          {total > matters.length && (
            <li className="px-4 py-2 text-xs text-muted">
              {t('matters.more', { count: total - matters.length })}
            </li>
          )}
        </ul>
      )}
    </Panel>
  );
}

/** The error of a faulted connector, or why something is to be looked at. */
function detailOf(matter: LiveMatter, say: typeof told): string {
  const { kind, detail = '', reason } = matter;
  if (kind !== 'faulted') return say(reason, detail);
  const key = `fault.${detail}`;
  const said = t(key as Parameters<typeof t>[0]);
  return said === key ? detail : said;
}

function Matter({ matter }: { matter: LiveMatter }) {
  const say = useTold();
  const station = useStation(matter.station_id);
  const [Icon, colour] = KINDS[matter.kind] ?? [TriangleAlert, 'text-muted'];
  const name = station?.name ?? '';
  return (
    <li className="relative flex min-h-11 items-center gap-3 border-b border-line px-4 py-1.5 last:border-0 hover:bg-hover">
      <Icon aria-hidden size={16} className={`shrink-0 ${colour}`} />
      <div className="min-w-0 flex-1">
        <p className="truncate">
          <Link
            {...(matter.session_id
              ? { to: '/sessions/$sessionId', params: { sessionId: matter.session_id } }
              : matter.kind === 'pending'
                ? { to: '/stations', search: { pending: true as const } }
                : { to: '/stations/$stationId', params: { stationId: matter.station_id } })}
            className="font-medium after:absolute after:inset-0"
          >
            {name || matter.station_id}
          </Link>{' '}
          {name && <span className="text-xs text-muted">{matter.station_id}</span>}
        </p>
        <p className="truncate text-xs text-muted">
          {[
            wordOf(matter.kind),
            matter.evse_id ? t('matter.evse', { number: matter.evse_id }) : '',
            detailOf(matter, say),
            station?.site,
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      <span className="text-xs text-muted">
        <Ago at={matter.since} short />
      </span>
    </li>
  );
}
