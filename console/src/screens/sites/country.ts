import { language } from '@/i18n';

const names = new Intl.DisplayNames([language], { type: 'region', fallback: 'code' });

/** The name of a country in the reader's language, from ISO 3166-1's two letters. */
export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  return names.of(code) ?? code;
}

let all: [string, string][] | undefined;

/** All countries by name: ISO 3166-1's letters that the browser knows a name for. */
export function countries(): [code: string, name: string][] {
  if (!all) {
    all = [];
    const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
    for (const first of letters) {
      for (const second of letters) {
        const code = first + second;
        // Letters that are reserved, withdrawn, or no country at all.
        if (
          /^(?:AC|CP|DG|EA|EU|EZ|IC|QO|TA|UN|UK|XA|XB|ZZ|AN|BU|CS|DD|DY|FX|HV|NH|NQ|NT|RH|SU|TP|VD|YD|YU|ZR)$/.test(
            code,
          )
        )
          continue;
        const name = names.of(code);
        if (name && name !== code) all.push([code, name]);
      }
    }
    all.sort(([, a], [, b]) => a.localeCompare(b, language));
  }
  return all;
}
