// What happened to a session, as a line in time; its regular updates are left out.
import { useQuery } from '@tanstack/react-query';
import { api, data, type Schemas } from '@/api/client';
import { absolute, clock, duration } from '@/i18n/quantity';
import { reasonText } from '@/screens/sessions/reason';
import { t } from '@/screens/sessions/text';
import { Panel } from '@/ui/page';
import { ErrorState, LoadingRows } from '@/ui/states';

type Event = Schemas['SessionEvent'];

const KINDS = [
  'started',
  'updated',
  'ended',
  'settled',
  'target',
  'target_reached',
  'target_missed',
  'full',
  'stop_missing',
  'over_long',
] as const;
const REGULAR = new Set([
  'MeterValuePeriodic',
  'MeterValueClock',
  'Sample.Periodic',
  'Sample.Clock',
]);
const LATE_S = 60;

function wordOf(kind: string): string {
  const known = KINDS.find((each) => each === kind);
  return known ? t(`event.${known}`) : kind;
}

/** Leave out what only repeats: updates without news. */
export function newsOf(events: Event[]): { news: Event[]; regular: number } {
  let charging: string | null = null;
  const news = events.filter((event) => {
    const changed = event.charging_state !== null && event.charging_state !== charging;
    charging = event.charging_state ?? charging;
    const kind: string = event.kind;
    return kind !== 'updated' || changed || (event.trigger !== null && !REGULAR.has(event.trigger));
  });
  return { news, regular: events.length - news.length };
}

export function SessionEvents({ session }: { session: Schemas['Session'] }) {
  const events = useQuery({
    queryKey: ['session-events', session.id],
    queryFn: () =>
      data(
        api.GET('/api/v1/sessions/{session_id}/events', {
          params: { path: { session_id: session.id } },
        }),
      ),
    refetchInterval: session.state === 'active' ? 5000 : false,
  });
  const { news, regular } = newsOf(events.data?.items.length ? events.data.items : endsOf(session));
  return (
    <Panel
      title={t('events')}
      note={regular > 0 ? t('events.more', { count: regular }) : undefined}
    >
      {events.isError ? (
        <ErrorState error={events.error} onRetry={() => void events.refetch()} />
      ) : events.isPending ? (
        <LoadingRows rows={3} />
      ) : (
        <ol className="relative ml-1.5 border-l border-line">
          {news.map((event) => (
            <li
              key={`${event.kind} ${event.number} ${event.at}`}
              className="relative flex gap-3 py-1.5 pl-5"
            >
              <span
                aria-hidden
                className="absolute top-[13px] -left-[4.5px] size-2 rounded-full border-2 border-surface bg-accent outline outline-accent"
              />
              <time
                dateTime={event.at}
                title={absolute(event.at)}
                className="w-20 shrink-0 text-muted tabular"
              >
                {clock(event.at)}
              </time>
              <p className="min-w-0">
                <span className="font-medium">{wordOf(event.kind)}</span>
                <span className="text-muted">
                  {[event.charging_state, event.trigger, late(event)]
                    .filter(Boolean)
                    .map((text) => ` · ${text ?? ''}`)
                    .join('')}
                </span>
              </p>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

/** What is known of a session of which no events are kept: those that were taken over from elsewhere. */
function endsOf(session: Schemas['Session']): Event[] {
  const common = { number: 0, charging_state: null, offline: false, detail: {} };
  const { started_at: begin, ended_at: end } = session;
  return [
    { ...common, kind: 'started', at: begin, received_at: begin, trigger: null },
    ...(end
      ? [
          {
            ...common,
            kind: 'ended',
            at: end,
            received_at: end,
            trigger: reasonText(session.stop_reason),
          } as const,
        ]
      : []),
  ];
}

function late(event: Event): string {
  const seconds = (new Date(event.received_at).getTime() - new Date(event.at).getTime()) / 1000;
  return seconds > LATE_S ? t('event.late', { later: duration(seconds) }) : '';
}
