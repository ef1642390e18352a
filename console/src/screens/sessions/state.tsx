import { CircleAlert, CircleCheck, TriangleAlert, Zap } from 'lucide-react';
import type { Schemas } from '@/api/client';
import { flagText } from './reason';
import { t } from './text';

const LOOKS = {
  active: [Zap, 'text-[var(--status-charging)]'],
  ended: [CircleCheck, 'text-muted'],
  disputed: [TriangleAlert, 'text-[var(--status-unavailable)]'],
} as const;

/** The state of a session: shape, colour and word. */
export function SessionState({ session }: { session: Schemas['Session'] }) {
  const [Icon, colour] = LOOKS[session.state];
  return (
    <span className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap">
      <Icon aria-hidden size={14} className={`shrink-0 ${colour}`} />
      {t(`state.${session.state}`)}
      {session.review.length > 0 && session.state !== 'disputed' && (
        <span
          title={session.review.map(flagText).join(', ')}
          className="text-[var(--status-unavailable)]"
        >
          <CircleAlert aria-hidden size={13} />
          <span className="sr-only">{t('review', { count: session.review.length })}</span>
        </span>
      )}
    </span>
  );
}
