import { describe, expect, it } from 'vitest';
import { applyTick, pictureOf, snapshotOf } from './picture';
import { EventParser } from './sse';
import { statusOf, urgency } from './status';
import type { LiveStation, Snapshot } from './types';

function station(id: string, status = 'available'): LiveStation {
  return {
    id,
    name: '',
    site_id: null,
    site: null,
    vendor: 'V',
    model: 'M',
    ocpp_version: '2.0.1',
    firmware_version: '1',
    connected: true,
    admission: 'accepted',
    status,
    last_seen_at: null,
    power_w: 0,
    tags: [],
    evses: [],
  };
}

const KPI = {
  power_w: 0,
  charging: 0,
  sessions_active: 0,
  energy_today_wh: 0,
  sessions_today: 0,
  online: 2,
  total: 2,
  faulted: 0,
  pending: 0,
  statuses: {},
  evse_statuses: {},
  attention: {},
};

function snapshot(): Snapshot {
  return {
    id: 'run-1',
    at: '2026-01-01T00:00:00Z',
    stations: [station('A'), station('B')],
    kpi: KPI,
    attention: [],
  };
}

describe('the picture', () => {
  it('takes a tick over: changed fields, newcomers, removals, figures', () => {
    const picture = pictureOf(snapshot());
    const before = picture.stations.get('A');
    const touched = applyTick(picture, {
      at: '2026-01-01T00:00:01Z',
      stations: { A: { status: 'charging', power_w: 7000 }, C: station('C') },
      removed: ['B'],
      kpi: { power_w: 7000 },
    });
    expect(touched).toEqual(['A', 'C', 'B']);
    expect(picture.stations.get('A')).toMatchObject({
      status: 'charging',
      vendor: 'V',
      power_w: 7000,
    });
    expect(picture.stations.get('A')).not.toBe(before);
    expect(before?.status).toBe('available');
    expect([...picture.stations.keys()]).toEqual(['A', 'C']);
    expect(picture.kpi).toMatchObject({ power_w: 7000, total: 2 });
  });

  it('is given whole to a page that comes later', () => {
    const picture = pictureOf(snapshot());
    applyTick(picture, { at: '2026-01-01T00:00:01Z', removed: ['A'] });
    const later = snapshotOf(picture, 'run-2');
    expect(later.id).toBe('run-2');
    expect(later.stations.map((each) => each.id)).toEqual(['B']);
  });
});

describe('the parser of server-sent events', () => {
  it('joins what arrives in pieces, and keeps the newest id', () => {
    const parser = new EventParser('run-0');
    expect(parser.push('retry: 1000\nid: run-1\n\nid: run-2\nevent: ti')).toEqual([]);
    expect(parser.lastId).toBe('run-1');
    expect(parser.push('ck\ndata: {"a":\ndata: 1}\n\n: a remark\n\n')).toEqual([
      { id: 'run-2', event: 'tick', data: '{"a":\n1}' },
    ]);
    expect(parser.push('event: ping\r\ndata: {}\r\n\r\n')).toEqual([
      { id: 'run-2', event: 'ping', data: '{}' },
    ]);
  });
});

describe('statuses', () => {
  it('are seven for people, faults first', () => {
    expect(statusOf('suspended_evse')).toBe('occupied');
    expect(statusOf('something new')).toBe('unavailable');
    const order = ['available', 'charging', 'offline', 'faulted'].sort(
      (a, b) => urgency(a) - urgency(b),
    );
    expect(order).toEqual(['faulted', 'offline', 'charging', 'available']);
  });
});
