import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { locale } from '@/i18n';
import { absolute, moment } from '@/i18n/quantity';
import { useNow, useStation } from '@/live/hooks';
import { classes } from '@/ui/classes';
import { lanesOf, ticksOf, type Lane, type Reservation } from './lanes';
import { OPEN } from './state';
import { t } from './text';

const ROW = 26;

/** Reservations as bars, a lane per station and EVSE; a line says where now is. */
export function TimeLine({
  reservations,
  from,
  hours,
  onOpen,
  onNew,
}: {
  reservations: Reservation[];
  from: number;
  hours: number;
  onOpen: (reservation: Reservation) => void;
  onNew?: ((stationId: string, evse: number | null, at: number) => void) | undefined;
}) {
  const now = useNow(15_000);
  const to = from + hours * 3_600_000;
  const lanes = useMemo(() => lanesOf(reservations, from, to), [reservations, from, to]);
  const ticks = useMemo(() => ticksOf(from, to), [from, to]);
  const format = useMemo(
    () =>
      new Intl.DateTimeFormat(
        locale,
        hours > 24
          ? { weekday: 'short', day: 'numeric', month: 'short' }
          : { hour: '2-digit', minute: '2-digit' },
      ),
    [hours],
  );
  const place = (at: number) => `${(100 * (at - from)) / (to - from)}%`;
  const isNowSeen = now >= from && now <= to;
  return (
    <div
      role="region"
      aria-label={t('line')}
      tabIndex={0}
      className="print-open min-h-0 flex-1 overflow-auto focus-visible:-outline-offset-2"
    >
      <div className="min-w-[640px]">
        <div className="sticky top-0 z-[5] flex h-8 border-b border-line bg-surface text-xs text-muted">
          <div className="w-44 shrink-0 truncate px-4 leading-8 max-sm:w-32">
            {t('column.place')}
          </div>
          <div className="relative mr-4 flex-1">
            {ticks.map((tick) => (
              <span
                key={tick}
                className="absolute top-0 -translate-x-1/2 leading-8 whitespace-nowrap tabular first:translate-x-0"
                style={{ left: place(tick) }}
              >
                {format.format(tick)}
              </span>
            ))}
          </div>
        </div>
        <ul>
          {lanes.map((lane) => (
            <li key={lane.key} className="flex border-b border-line">
              <LaneName lane={lane} />
              {/* A click on the free line is a convenience; the button above does the same by keyboard. */}
              {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions */}
              <div
                className="relative mr-4 flex-1"
                style={{ minHeight: lane.rows * ROW + 8 }}
                onClick={(event) => {
                  if (!onNew || event.target !== event.currentTarget) return;
                  const box = event.currentTarget.getBoundingClientRect();
                  const at = from + ((event.clientX - box.left) / box.width) * (to - from);
                  if (at > now) onNew(lane.stationId, lane.evse, at);
                }}
              >
                {ticks.map((tick) => (
                  <span
                    key={tick}
                    aria-hidden
                    className="pointer-events-none absolute inset-y-0 w-px bg-[var(--plot-grid)]"
                    style={{ left: place(tick) }}
                  />
                ))}
                {lane.bars.map((bar) => (
                  <Bar key={bar.reservation.id} bar={bar} onOpen={onOpen} />
                ))}
                {isNowSeen && (
                  <span
                    aria-hidden
                    className="pointer-events-none absolute inset-y-0 z-[2] w-0.5 bg-accent"
                    style={{ left: place(now) }}
                  />
                )}
              </div>
            </li>
          ))}
        </ul>
        {isNowSeen && lanes.length > 0 && (
          <div className="flex text-xs">
            <div className="w-44 shrink-0 max-sm:w-32" />
            <div className="relative mr-4 h-6 flex-1">
              <span
                className="absolute top-1 -translate-x-1/2 font-medium whitespace-nowrap text-accent tabular"
                style={{ left: place(now) }}
                title={absolute(now)}
              >
                {t('now')}
              </span>
            </div>
          </div>
        )}
      </div>
    </div>
  );
}

function LaneName({ lane }: { lane: Lane }) {
  const station = useStation(lane.stationId);
  return (
    <div className="w-44 shrink-0 px-4 py-1.5 max-sm:w-32">
      <Link
        to="/stations/$stationId"
        params={{ stationId: lane.stationId }}
        className="block truncate font-medium hover:underline"
      >
        {station && station.name !== '' ? station.name : lane.stationId}
      </Link>
      {lane.rows > 0 && (
        <span className="block truncate text-xs text-muted">
          {lane.evse === null ? t('evse.any') : t('evse.number', { number: lane.evse })}
        </span>
      )}
    </div>
  );
}

/** Who a reservation is for, as short as it goes. */
export function holderOf(reservation: Reservation): string {
  return reservation.token_uid ?? reservation.group_id ?? '';
}

function Bar({
  bar: { reservation, left, width, row },
  onOpen,
}: {
  bar: Lane['bars'][number];
  onOpen: (reservation: Reservation) => void;
}) {
  const isOpen = OPEN.includes(reservation.state);
  const isPlaced = reservation.state === 'placed' || reservation.state === 'held';
  const label = t('bar', {
    number: reservation.id,
    state: t(`state.${reservation.state}`),
    from: moment(reservation.from_at),
    until: moment(reservation.until_at),
    holder: holderOf(reservation),
  });
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      onClick={() => onOpen(reservation)}
      className={classes(
        'absolute z-[1] flex h-6 min-w-6 items-center gap-1 overflow-hidden rounded-[5px] border px-1.5 text-xs whitespace-nowrap hover:shadow-[0_0_0_1px_var(--line-strong)]',
        isPlaced && 'border-[var(--status-reserved)] bg-surface',
        isOpen && !isPlaced && 'border-dashed border-[var(--status-reserved)] bg-surface',
        !isOpen && 'border-line bg-sunken text-muted',
        reservation.state === 'cancelled' && 'line-through',
      )}
      style={{ left: `${left * 100}%`, width: `${width * 100}%`, top: row * ROW + 5 }}
    >
      <span className="truncate">{holderOf(reservation)}</span>
    </button>
  );
}
