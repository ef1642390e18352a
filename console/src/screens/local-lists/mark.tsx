import {
  CheckCircle2,
  CircleAlert,
  CircleDashed,
  CircleSlash,
  Hourglass,
  MinusCircle,
  type LucideIcon,
} from 'lucide-react';
import type { Said, State } from './standing';
import { t } from './text';

const MARKS: Record<State, [LucideIcon, string]> = {
  in_step: [CheckCircle2, 'text-good'],
  behind: [Hourglass, 'text-accent'],
  failed: [CircleAlert, 'text-danger'],
  unsupported: [CircleSlash, 'text-warning'],
  unknown: [CircleDashed, 'text-faint'],
  not_kept: [MinusCircle, 'text-faint'],
};

/** How a list stands: shape, colour and word. */
export function StateMark({ state }: { state: State }) {
  const [Icon, colour] = MARKS[state];
  return (
    <span className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap">
      <Icon aria-hidden size={14} className={`shrink-0 ${colour}`} />
      {t(`state.${state}`)}
    </span>
  );
}

/** Say why a list stands as it does; what no message is known for is told in the server's words. */
export function sayWhy(said: Said | null): string {
  if (said === null) return '';
  if ('words' in said) return said.words;
  const { key, ...values } = said;
  // An answer without an explanation ends with the sentence.
  return t(key, values).trimEnd();
}

/** The same as a part of a page: the server's own words are English. */
export function Why({ said }: { said: Said | null }) {
  if (said === null) return null;
  return 'words' in said ? <span lang="en">{said.words}</span> : sayWhy(said);
}
