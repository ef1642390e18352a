import { describe, expect, it, vi } from 'vitest';
import { allPages } from '@/api/client';
import { csvOf, findRows, type Said } from './find';

interface Key {
  name: string;
  role: string;
  uses: number | null;
}

const KEYS: Key[] = [
  { name: 'Billing export', role: 'Finance', uses: 3 },
  { name: 'Dashboard', role: 'Viewer', uses: null },
];

const COLUMNS: Said<Key>[] = [
  { header: 'Name', text: (key) => key.name },
  { header: 'Role', text: (key) => key.role },
  { header: 'Used', text: (key) => key.uses },
  { header: '' },
];

describe('what is looked for in a list', () => {
  const found = (text: string) => findRows(KEYS, COLUMNS, text).map((key) => key.name);

  it('has every word, in whichever column and case', () => {
    expect(found('FINANCE bill')).toEqual(['Billing export']);
    expect(found('finance dashboard')).toEqual([]);
    expect(found('3')).toEqual(['Billing export']);
  });

  it('is everything while nothing is typed, and never the word null', () => {
    expect(found('  ')).toHaveLength(2);
    expect(found('null')).toEqual([]);
  });
});

describe('a list as CSV', () => {
  it('has the columns that say something, and nothing where nothing is known', () => {
    expect(csvOf(KEYS, COLUMNS)).toBe(
      'Name,Role,Used\r\nBilling export,Finance,3\r\nDashboard,Viewer,',
    );
  });

  it('gives a spreadsheet no formula', () => {
    const row = { name: '=1+1', role: 'Viewer', uses: null };
    expect(csvOf([row], COLUMNS)).toContain("'=1+1,");
  });
});

describe('all pages of a list', () => {
  it('are asked for until there is none', async () => {
    const pages = new Map<string | null, { items: number[]; next: string | null }>([
      [null, { items: [1, 2], next: 'b' }],
      ['b', { items: [3], next: null }],
    ]);
    const ask = vi.fn((cursor: string | null) =>
      Promise.resolve(pages.get(cursor) ?? { items: [], next: null }),
    );
    expect(await allPages(ask)).toEqual({ items: [1, 2, 3] });
    expect(ask.mock.calls).toEqual([[null], ['b']]);
  });
});
