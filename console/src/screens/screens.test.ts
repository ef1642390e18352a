import { describe, expect, it } from 'vitest';
import type { LiveStation } from '@/live/types';
import { toCsv } from '@/ui/csv';
import { fits, mergeFrames, pair, Pairing, summary, type Frame } from './messages/pairs';
import { findStations } from './stations/filter';
import { align } from './station/lines';

function station(id: string, more: Partial<LiveStation> = {}): LiveStation {
  return {
    id,
    name: '',
    site_id: null,
    site: null,
    vendor: 'Alfen',
    model: 'Eve',
    ocpp_version: '1.6',
    firmware_version: '1',
    connected: true,
    admission: 'accepted',
    status: 'available',
    last_seen_at: null,
    power_w: 0,
    tags: [],
    evses: [],
    ...more,
  };
}

describe('finding stations', () => {
  const all = [
    station('B', { status: 'charging', power_w: 5 }),
    station('A'),
    station('C', { status: 'faulted', site: 'Harbour', site_id: 's1' }),
    station('N', { admission: 'pending', status: 'offline' }),
  ];
  const ids = (wanted: Parameters<typeof findStations>[1]) =>
    findStations(all, wanted).stations.map((each) => each.id);

  it('puts what needs a person first, and sorts as asked', () => {
    expect(ids({})).toEqual(['C', 'N', 'B', 'A']);
    expect(ids({ sort: 'name' })).toEqual(['A', 'B', 'C', 'N']);
    expect(ids({ sort: 'power', desc: true })[0]).toBe('B');
  });

  it('filters by words, status, site and admission; counts are of all statuses', () => {
    expect(ids({ q: 'harbour eve' })).toEqual(['C']);
    expect(ids({ status: ['charging', 'faulted'] })).toEqual(['C', 'B']);
    expect(ids({ site: 's1' })).toEqual(['C']);
    expect(ids({ pending: true })).toEqual(['N']);
    expect(findStations(all, { status: ['charging'] }).counts.faulted).toBe(1);
  });

  it('finds among 20,000 in a moment', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => station(`CP-${index}`));
    expect(findStations(many, { q: 'cp-19999' }).stations).toHaveLength(1);
  });
});

function frame(at: number, direction: 'in' | 'out', type: Frame['type'], id: string): Frame {
  return {
    at: new Date(at).toISOString(),
    direction,
    type,
    message_id: id,
    action: 'Reset',
    payload: { type: 'Soft', timestamp: 'x', nested: { a: 1 } },
    deviations: [],
  };
}

describe('pairing frames', () => {
  it('puts an answer to its call, the right one when ids come again', () => {
    const pairs = pair([
      frame(4000, 'out', 'result', '1'),
      frame(3000, 'in', 'call', '1'),
      frame(2500, 'in', 'result', '1'),
      frame(2000, 'out', 'call', '1'),
      frame(1000, 'in', 'call', '1'),
    ]);
    expect(pairs.map((each) => each.latencyMs)).toEqual([1000, 500, null]);
    expect(pairs[2]?.answer).toBeNull();
    expect(pairs.filter((each) => fits(each, 'open', []))).toHaveLength(1);
    expect(pairs.filter((each) => fits(each, 'out', ['soft']))).toHaveLength(1);
  });

  it('puts an answer to its call when they are on different pages', () => {
    const pairing = new Pairing();
    expect(pairing.add([frame(4000, 'out', 'result', '1')])).toEqual([]);
    const [found] = pairing.add([frame(3000, 'in', 'call', '1'), frame(2000, 'in', 'call', '1')]);
    expect(found?.latencyMs).toBe(1000);
    expect(pairing.add([frame(1000, 'in', 'call', '1')])[0]?.answer).toBeNull();
  });

  it('keeps what is fetched twice once', () => {
    const known = [frame(2, 'in', 'call', 'b'), frame(1, 'in', 'call', 'a')];
    expect(mergeFrames([frame(3, 'in', 'call', 'c'), ...known.slice(0, 1)], known)).toHaveLength(3);
  });

  it('sums a payload up without what every message has', () => {
    expect(summary({ type: 'Soft', timestamp: 'x', nested: { a: 1 } })).toBe('type Soft, a 1');
  });
});

describe('lines over time', () => {
  it('hold their value until the next one, and are a gap before the first', () => {
    const { times, values } = align(
      [
        [
          [0, 1000],
          [10, 2000],
        ],
        [[5, 500]],
      ],
      0,
    );
    expect(times).toEqual([0, 5, 10]);
    expect(values).toEqual([
      [1, 1, 2],
      [null, 0.5, 0.5],
    ]);
  });
});

describe('CSV', () => {
  it('quotes what needs it and disarms formulas', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          ['x,y', '=1+1'],
          [-5, null],
        ],
      ),
    ).toBe('a,b\r\n"x,y",\'=1+1\r\n-5,');
  });
});
