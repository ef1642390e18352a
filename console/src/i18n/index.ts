// Messages in the reader's language. A language is a folder beside this file; see README.md.
import { say, type Compiled, type Values } from './format';

const STORED = 'pilotwire.language';

/** The languages there are, by their own names. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

function isLanguage(name: string): name is Language {
  return name in LANGUAGES;
}

function chosen(): Language {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored && isLanguage(stored)) return stored;
  } catch {
    // Without a store the browser's language holds.
  }
  if (typeof navigator === 'undefined') return 'en';
  return navigator.languages.map((name) => name.slice(0, 2)).find(isLanguage) ?? 'en';
}

/** The language of this page; it changes by loading the page again. */
export const language: Language = chosen();

/** The locale for numbers, moments and lists. German readers get German habits; English ones those of their region. */
export const locale: string =
  typeof navigator === 'undefined'
    ? language
    : (navigator.languages.find((name) => name.startsWith(language)) ?? language);

/** Change the language and load the page in it. */
export function changeLanguage(to: Language): void {
  localStorage.setItem(STORED, to);
  location.reload();
}

/**
 * Give the function that says the messages of an area:
 *
 *     const t = messages<typeof import('@/i18n/en/stations.json')>(
 *       import.meta.glob('@/i18n/*\/stations.json', { eager: true, import: 'default' }),
 *     );
 */
// The catalogue's type is given by the caller: the files have none that Vite could tell.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function messages<Catalogue>(
  files: Record<string, unknown>,
): (key: keyof Catalogue & string, values?: Values) => string {
  const byLanguage = new Map<string, Record<string, Compiled>>();
  for (const [path, content] of Object.entries(files)) {
    const name = path.split('/').at(-2) ?? '';
    byLanguage.set(name, content as Record<string, Compiled>);
  }
  const own = byLanguage.get(language) ?? {};
  const english = byLanguage.get('en') ?? {};
  return (key, values) => say(own[key] ?? english[key] ?? key, values, language);
}
