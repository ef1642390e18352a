// Reads the ICU messages of src/i18n/<language>/<area>.json at build time, so that the browser gets no parser.
import { parse, TYPE, type MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import type { Plugin } from 'vite';

/** A message in the form that src/i18n/format.ts reads. */
export type Part =
  | string
  | ['v', string]
  | ['n', string]
  | ['#']
  | ['s', string, Record<string, Part[]>]
  | ['p', string, 'cardinal' | 'ordinal', Record<string, Part[]>];

export function compileMessage(text: string): string | Part[] {
  const parts = parse(text, { ignoreTag: true }).map(part);
  return parts.length === 0
    ? ''
    : parts.length === 1 && typeof parts[0] === 'string'
      ? parts[0]
      : parts;
}

function part(element: MessageFormatElement): Part {
  switch (element.type) {
    case TYPE.literal:
      return element.value;
    case TYPE.argument:
      return ['v', element.value];
    case TYPE.number:
      return ['n', element.value];
    case TYPE.pound:
      return ['#'];
    case TYPE.select:
      return ['s', element.value, cases(element.options)];
    case TYPE.plural:
      if (element.offset !== 0) throw new Error('a plural with an offset is not supported');
      return ['p', element.value, element.pluralType ?? 'cardinal', cases(element.options)];
    default:
      throw new Error(
        `dates and times are formatted before they are given: ${JSON.stringify(element)}`,
      );
  }
}

function cases(options: Record<string, { value: MessageFormatElement[] }>): Record<string, Part[]> {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, option.value.map(part)]),
  );
}

/** The plugin for Vite and Vitest. */
export function messages(): Plugin {
  return {
    name: 'pilotwire-messages',
    enforce: 'pre',
    transform: {
      filter: { id: /\/i18n\/[a-z-]+\/[a-z-]+\.json$/ },
      handler(code, id) {
        const compiled: Record<string, string | Part[]> = {};
        for (const [key, text] of Object.entries(JSON.parse(code) as Record<string, string>)) {
          try {
            compiled[key] = compileMessage(text);
          } catch (fault) {
            this.error(`${id}: "${key}": ${String(fault)}`);
          }
        }
        return { code: `export default ${JSON.stringify(compiled)};`, map: null, moduleType: 'js' };
      },
    },
  };
}
