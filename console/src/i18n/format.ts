// Says compiled ICU messages: see build/messages.ts for their form.
import type { Part } from '../../build/messages';

export type Values = Record<string, string | number>;
export type Compiled = string | Part[];

interface Rules {
  number: Intl.NumberFormat;
  cardinal: Intl.PluralRules;
  ordinal: Intl.PluralRules;
}

const known = new Map<string, Rules>();

function rulesOf(language: string): Rules {
  let rules = known.get(language);
  if (!rules) {
    rules = {
      number: new Intl.NumberFormat(language),
      cardinal: new Intl.PluralRules(language),
      ordinal: new Intl.PluralRules(language, { type: 'ordinal' }),
    };
    known.set(language, rules);
  }
  return rules;
}

/** Say a message in a language with values in their places. */
export function say(message: Compiled, values: Values | undefined, language: string): string {
  if (typeof message === 'string') return message;
  return join(message, values ?? {}, rulesOf(language), '');
}

function join(parts: Part[], values: Values, rules: Rules, count: string): string {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    if (part[0] === '#') {
      text += count;
      continue;
    }
    const value = values[part[1]] ?? '';
    switch (part[0]) {
      case 'v':
      case 'n':
        text += typeof value === 'number' ? rules.number.format(value) : value;
        break;
      case 's':
        text += join(part[2][value] ?? part[2]['other'] ?? [], values, rules, count);
        break;
      case 'p': {
        const number = Number(value);
        const found =
          part[3][`=${number}`] ?? part[3][rules[part[2]].select(number)] ?? part[3]['other'];
        text += join(found ?? [], values, rules, rules.number.format(number));
      }
    }
  }
  return text;
}
