import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileMessage, type Part } from '../../build/messages.ts';
import { say } from './format';
import { LANGUAGES } from './index';

const ROOT = new URL('.', import.meta.url).pathname;

function catalogue(language: string, file: string): Record<string, string> {
  return JSON.parse(readFileSync(`${ROOT}${language}/${file}`, 'utf8')) as Record<string, string>;
}

/** The names of the values that a message wants. */
function names(message: string | Part[]): Set<string> {
  const found = new Set<string>();
  const walk = (parts: Part[]) => {
    for (const part of parts) {
      if (typeof part === 'string' || part[0] === '#') continue;
      found.add(part[1]);
      const inner = part[0] === 's' ? part[2] : part[0] === 'p' ? part[3] : {};
      for (const each of Object.values(inner)) walk(each);
    }
  };
  if (typeof message !== 'string') walk(message);
  return found;
}

describe('messages', () => {
  const files = readdirSync(`${ROOT}en`);
  for (const language of Object.keys(LANGUAGES).filter((each) => each !== 'en')) {
    it(`are complete in ${language}, with the same values in their places`, () => {
      expect(readdirSync(`${ROOT}${language}`)).toEqual(files);
      for (const file of files) {
        const english = catalogue('en', file);
        const other = catalogue(language, file);
        expect(Object.keys(other), file).toEqual(Object.keys(english));
        for (const [key, text] of Object.entries(english)) {
          const wanted = names(compileMessage(text));
          expect(names(compileMessage(other[key] ?? '')), `${file} ${key}`).toEqual(wanted);
        }
      }
    });
  }

  it('say numbers and cases by the rules of the language', () => {
    const message = compileMessage(
      '{count, plural, =0 {none} one {# car} other {# cars}} at {place}',
    );
    expect(say(message, { count: 0, place: 'A' }, 'en')).toBe('none at A');
    expect(say(message, { count: 1, place: 'A' }, 'en')).toBe('1 car at A');
    expect(say(message, { count: 1200, place: 'A' }, 'de')).toBe('1.200 cars at A');
    expect(
      say(compileMessage('{role, select, admin {Boss} other {{role}}}'), { role: 'x' }, 'en'),
    ).toBe('x');
  });
});
