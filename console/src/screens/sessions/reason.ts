// Why a session ended, in words.
import { t } from './text';

type Key = Parameters<typeof t>[0];

/** What a station's reason means; a word of its own is given as it is. */
export function reasonText(reason: string | null): string | null {
  if (reason === null) return null;
  const key = `reason.${reason}`;
  const said = t(key as Key);
  return said === key ? reason : said;
}
