// What became of a command at a station, in words.
import { useTold, type Reason } from '@/api/told';
import { spoken } from '@/commands/schema';
import { t } from './text';

interface Row {
  outcome: string;
  detail: string;
  reason: Reason | null;
}

/** The outcome; a word of the station that is not known here is given as it is. */
export function outcomeText(outcome: string): string {
  if (outcome === '') return '';
  const key = `o.${outcome}`;
  const said = t(key as Parameters<typeof t>[0]);
  return said === key ? spoken(outcome) : said;
}

/** Why it became what it did. */
export function Detail({ row }: { row: Row }) {
  const told = useTold();
  return <>{told(row.reason, row.detail)}</>;
}

/** Outcome and reason in one line; where the reason says it all, the outcome would say it twice. */
export function Became({ row }: { row: Row }) {
  const told = useTold();
  return (
    <>
      {row.reason
        ? told(row.reason, row.detail)
        : [outcomeText(row.outcome), row.detail].filter(Boolean).join(': ')}
    </>
  );
}
