// Why a session ended, and what is to be looked at, in words.
import { t } from './text';

function named(key: string, otherwise: string): string {
  const said = t(key as Parameters<typeof t>[0]);
  return said === key ? otherwise : said;
}

/** What a station's reason means; a word of its own is given as it is. */
export function reasonText(reason: string | null): string | null {
  return reason === null ? null : named(`reason.${reason}`, reason);
}

/** What is to be looked at before a session is billed. */
export function flagText(flag: string): string {
  return named(`flag.${flag}`, flag);
}
