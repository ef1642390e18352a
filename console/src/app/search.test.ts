import { describe, expect, it } from 'vitest';
import { flag, oneOf, someOf, text, type Raw } from './search';

const COLOURS = ['red', 'green', 'blue'] as const;

const read = (raw: Raw) => ({
  q: text(raw, 'q'),
  open: flag(raw, 'open'),
  one: oneOf(raw, 'one', COLOURS),
  some: someOf(raw, 'some', COLOURS),
});

describe('the part of an address behind the question mark', () => {
  it('is read, and what is not understood is left out', () => {
    expect(read({ q: 7, open: 'true', one: 'grey', some: 'blue,grey,red' })).toEqual({
      q: '7',
      open: true,
      one: undefined,
      some: ['red', 'blue'],
    });
    expect(read({ some: 'grey' }).some).toBeUndefined();
    expect(read({}).some).toBeUndefined();
  });

  it('means the same when it is read again, as the router does', () => {
    const once = read({ q: 'a', open: 'true', one: 'red', some: 'green,blue' });
    expect(read(once)).toEqual(once);
  });
});
