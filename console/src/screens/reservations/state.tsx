import { Ban, Check, CircleDashed, Clock, Hourglass, UserX, type LucideIcon } from 'lucide-react';
import type { Reservation } from './lanes';
import { t } from './text';

const ICONS: Record<Reservation['state'], LucideIcon> = {
  planned: CircleDashed,
  placing: Hourglass,
  placed: Clock,
  held: Clock,
  used: Check,
  no_show: UserX,
  cancelled: Ban,
};

export const OPEN: readonly Reservation['state'][] = ['planned', 'placing', 'placed', 'held'];

export function ReservationState({ state }: { state: Reservation['state'] }) {
  const Icon = ICONS[state];
  const isReserved = state === 'placed' || state === 'held';
  return (
    <span className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap">
      <Icon
        aria-hidden
        size={14}
        className={isReserved ? 'text-[var(--status-reserved)]' : 'text-muted'}
      />
      {t(`state.${state}`)}
    </span>
  );
}
