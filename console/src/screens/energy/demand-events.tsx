// Events of the programmes: when, whether the site takes part, and what was bought against what usually is.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CalendarClock } from 'lucide-react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { absolute, energy, joined, moment } from '@/i18n/quantity';
import { useNow } from '@/live/hooks';
import { Button } from '@/ui/button';
import { Panel } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { demandEventsQuery, type DemandEvent } from './outside-questions';
import { t } from './text';

type State = 'withdrawn' | 'ahead' | 'over' | 'out' | 'active';

function stateOf(event: DemandEvent, now: number): State {
  if (event.withdrawn_at) return 'withdrawn';
  if (event.ends_at && Date.parse(event.ends_at) <= now) return 'over';
  if (!event.takes_part) return 'out';
  return Date.parse(event.starts_at) > now ? 'ahead' : 'active';
}

export function DemandEvents({ siteId }: { siteId: string }) {
  const may = useMay('override_energy');
  const events = useQuery(demandEventsQuery(siteId));
  const cache = useQueryClient();
  const opt = useMutation({
    mutationFn: (event: DemandEvent) =>
      data(
        api.PUT('/api/v1/sites/{site_id}/energy/vtns/{vtn_id}/events/{event_id}/opt', {
          params: { path: { site_id: siteId, vtn_id: event.vtn_id, event_id: event.event_id } },
          body: { takes_part: !event.takes_part },
        }),
      ),
    onSuccess: (event) => toast('good', t(event.takes_part ? 'event.opted.in' : 'event.opted.out')),
    onError: (fault) => toast('bad', t('event.opt.failed'), fault.message),
    onSettled: () => cache.invalidateQueries({ queryKey: ['energy', siteId] }),
  });
  return (
    <Panel title={t('events')} note={t('events.note')}>
      {events.isError ? (
        <ErrorState error={events.error} onRetry={() => void events.refetch()} />
      ) : events.isPending ? (
        <LoadingRows rows={4} />
      ) : events.data.length === 0 ? (
        <EmptyState icon={CalendarClock} title={t('events.none')}>
          {t('events.none.hint')}
        </EmptyState>
      ) : (
        <ul className="flex flex-col divide-y divide-line">
          {events.data.map((event) => (
            <Line
              key={`${event.vtn_id} ${event.event_id}`}
              event={event}
              busy={opt.isPending && opt.variables.event_id === event.event_id}
              onOpt={may ? () => opt.mutate(event) : undefined}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Line({
  event,
  busy,
  onOpt,
}: {
  event: DemandEvent;
  busy: boolean;
  onOpt?: (() => void) | undefined;
}) {
  const now = useNow(10_000);
  const state = stateOf(event, now);
  const isOpen = state === 'ahead' || state === 'active' || state === 'out';
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 py-2 md:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto]">
      <div className="min-w-0">
        <p className="truncate font-medium">{event.name || event.event_id}</p>
        <p className="text-xs text-muted tabular" title={absolute(event.starts_at)}>
          {moment(event.starts_at)}
          {event.ends_at && ` – ${moment(event.ends_at)}`}
        </p>
      </div>
      <div className="min-w-0 max-md:col-span-2 max-md:row-start-2">
        {event.reported_at ? (
          <Result event={event} />
        ) : (
          <p className="text-xs text-muted">{t(`event.${state}`)}</p>
        )}
      </div>
      <div className="flex justify-end">
        {isOpen && onOpt && (
          <Button small busy={busy} onClick={onOpt}>
            {t(event.takes_part ? 'event.opt.out' : 'event.opt.in')}
          </Button>
        )}
      </div>
    </li>
  );
}

/** Two bars on one scale, and the difference in words. */
function Result({ event }: { event: DemandEvent }) {
  const used = event.used_wh;
  const usual = event.baseline_wh;
  if (used === null) return <p className="text-xs text-muted">{t('event.unmeasured')}</p>;
  const most = Math.max(used, usual ?? 0, 1);
  const saved = usual === null ? null : usual - used;
  return (
    <div className="flex flex-col gap-1 text-xs">
      <Bar label={t('event.used')} watthours={used} most={most} colour="var(--plot-1)" />
      {usual !== null && (
        <Bar label={t('event.usual')} watthours={usual} most={most} colour="var(--faint)" />
      )}
      <p className="text-muted">
        {saved === null
          ? t('event.baseless')
          : t(saved >= 0 ? 'event.saved' : 'event.more', {
              energy: joined(energy(Math.abs(saved))),
            })}
        {!event.takes_part && ` · ${t('event.tookno')}`}
      </p>
    </div>
  );
}

function Bar({
  label,
  watthours,
  most,
  colour,
}: {
  label: string;
  watthours: number;
  most: number;
  colour: string;
}) {
  return (
    <div className="grid grid-cols-[72px_minmax(0,1fr)_80px] items-center gap-2">
      <span className="text-muted">{label}</span>
      <span aria-hidden className="h-2 overflow-hidden rounded bg-sunken">
        <span
          className="block h-full"
          style={{ width: `${Math.max(0, (watthours / most) * 100)}%`, background: colour }}
        />
      </span>
      <span className="text-right tabular">{joined(energy(watthours))}</span>
    </div>
  );
}
