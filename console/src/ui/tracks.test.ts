import { describe, expect, it } from 'vitest';
import { leastWidth } from './tracks';

describe('the least width of a table', () => {
  it('is that of its columns with the padding of a row, whatever their shares', () => {
    expect(leastWidth('36px minmax(140px, 1fr) 150px minmax(120px, 2fr)')).toBe(
      32 + 36 + 140 + 150 + 120,
    );
    expect(leastWidth('1fr 100px')).toBe(132);
  });
});
