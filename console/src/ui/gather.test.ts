import { describe, expect, it, vi } from 'vitest';
import { csvSource, Gathering, type PageOf } from './gather';

type Row = [string, number];

const never = new AbortController().signal;

/** A list of so many rows in pages of ten; it breaks off as often as told when a cursor is asked for. */
function list(length: number, faults: Record<string, unknown[]> = {}) {
  const asked: (string | undefined)[] = [];
  const ask = (cursor: string | undefined): Promise<PageOf<Row>> => {
    asked.push(cursor);
    const fault = faults[cursor ?? '']?.shift();
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever a list may fail with
    if (fault) return Promise.reject(fault);
    const from = Number(cursor ?? 0);
    const items = Array.from({ length: Math.min(10, length - from) }, (_, index): Row => [
      `=row ${from + index}`,
      from + index,
    ]);
    return Promise.resolve({ items, next: from + 10 < length ? String(from + 10) : null });
  };
  return { asked, ask };
}

const source = (
  ask: (cursor: string | undefined) => Promise<PageOf<Row>>,
  keep?: (row: Row) => boolean,
) => csvSource<Row>(['name', 'number'], (row) => row, ask, keep);

describe('gathering a list for a file', () => {
  it('takes every page, guards formulas on each, and writes the head once', async () => {
    const { ask, asked } = list(25);
    const told = vi.fn<(count: number) => void>();
    const gathering = new Gathering(source(ask));
    const all = await gathering.run(never, (now) => {
      told(now.kept);
    });
    expect(asked).toEqual([undefined, '10', '20']);
    expect(told.mock.calls.flat()).toEqual([10, 20, 25]);
    expect(all.more).toBe(false);
    const lines = gathering.content().join('').split('\r\n');
    expect(lines).toHaveLength(26);
    expect(lines[0]).toBe('name,number');
    expect(lines[25]).toBe("'=row 24,24");
  });

  it('gives the head alone for a list without rows', async () => {
    const gathering = new Gathering(source(list(0).ask));
    await gathering.run(never, () => undefined);
    expect(gathering.content()).toEqual(['name,number']);
  });

  it('keeps what fits, also when a page has nothing of it', async () => {
    const gathering = new Gathering(source(list(30).ask, ([, number]) => number > 25));
    const all = await gathering.run(never, () => undefined);
    expect([all.read, all.kept]).toEqual([30, 4]);
    expect(gathering.content().join('').split('\r\n')).toHaveLength(5);
  });

  it.each([
    [25, 20, true],
    [25, 15, true],
    [25, 25, false],
    [20, 20, false],
  ])('stops at the bound: %i rows, at most %i', async (length, most, more) => {
    const gathering = new Gathering(source(list(length).ask), most);
    const all = await gathering.run(never, () => undefined);
    expect(all.more).toBe(more);
    expect(all.kept).toBe(Math.min(length, most));
    expect(gathering.content().join('').split('\r\n')).toHaveLength(Math.min(length, most) + 1);
  });

  it('asks once more when the connection was lost, and not when it is refused', async () => {
    const lost = list(25, { '10': [new TypeError('Failed to fetch'), { status: 503 }] });
    await new Gathering(source(lost.ask), 100, [0, 0]).run(never, () => undefined);
    expect(lost.asked).toEqual([undefined, '10', '10', '10', '20']);
    const refused = list(25, { '10': [{ status: 403 }] });
    await expect(
      new Gathering(source(refused.ask), 100, [0, 0]).run(never, () => undefined),
    ).rejects.toEqual({ status: 403 });
    expect(refused.asked).toEqual([undefined, '10']);
  });

  it('gives no file when it broke off, and goes on with the page that failed', async () => {
    const { ask, asked } = list(25, { '10': [{ status: 403 }] });
    const gathering = new Gathering(source(ask), 100, []);
    await expect(gathering.run(never, () => undefined)).rejects.toEqual({ status: 403 });
    expect(() => gathering.content()).toThrow();
    await gathering.run(never, () => undefined);
    expect(asked).toEqual([undefined, '10', '10', '20']);
    expect(gathering.content().join('').split('\r\n')).toHaveLength(26);
  });

  it('ends when it is cancelled, also between two attempts', async () => {
    const abort = new AbortController();
    const { ask, asked } = list(100);
    const gathering = new Gathering(source(ask));
    const run = gathering.run(abort.signal, (now) => now.read >= 20 && abort.abort());
    await expect(run).rejects.toThrow();
    expect(asked).toHaveLength(3);
    const later = new AbortController();
    const waiting = list(25, { '10': [{ status: 503 }] });
    const paused = new Gathering(source(waiting.ask), 100, [60_000]).run(
      later.signal,
      () => undefined,
    );
    setTimeout(() => later.abort(), 5);
    await expect(paused).rejects.toThrow();
  });
});
