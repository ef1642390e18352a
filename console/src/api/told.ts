// What the server says by a code, in the reader's language; without a translation its own English stands.
import { useEffect, useState } from 'react';
import { language } from '@/i18n';
import { say, type Compiled } from '@/i18n/format';

/** A text of the server by its code, with the values in it. */
export interface Reason {
  code: string;
  values: Record<string, string | number>;
}

type Catalogue = Record<string, Compiled>;

// English is what the server sends; its catalogue is for translators. The others come when they are first needed.
const files = import.meta.glob<Catalogue>(['/src/i18n/*/told.json', '!/src/i18n/en/told.json'], {
  import: 'default',
});

let own: Catalogue | undefined = language === 'en' ? {} : undefined;

/** Fetch the reader's catalogue if it is not here; without it what is told stays English. */
export async function loadTold(): Promise<void> {
  if (own) return;
  try {
    own = await files[`/src/i18n/${language}/told.json`]?.();
  } catch {
    // The server may be away, which is perhaps what is to be told. The next time tries again.
  }
}

/** Say what was told: in the reader's language if its code is known, else as it came. */
export function told(reason: Reason | null | undefined, english: string): string {
  const message = reason ? own?.[reason.code] : undefined;
  return message === undefined ? english : say(message, reason?.values, language);
}

/** `told` for what is drawn: it is drawn again when the catalogue is there. */
export function useTold(): typeof told {
  const [, setLoaded] = useState(own !== undefined);
  useEffect(() => {
    if (!own) void loadTold().then(() => setLoaded(true));
  }, []);
  return told;
}
