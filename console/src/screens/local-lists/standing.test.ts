import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sayWhy } from './mark';
import {
  changedBy,
  decidedBy,
  explain,
  REASONS,
  ruleFor,
  stateOf,
  tokensOf,
  whyOf,
  type LocalList,
} from './standing';

const SOURCES = new URL('../../../../src/pilotwire/', import.meta.url);

function list(more: Partial<LocalList> = {}): LocalList {
  return {
    station_id: 'CP-1',
    ocpp_version: '1.6',
    kept: true,
    state: 'in_step',
    detail: '',
    version: 3,
    entries: 40,
    wanted_entries: 40,
    left_out: 0,
    most_entries: 50,
    items_per_message: 20,
    attempts: 0,
    next_at: null,
    checked_at: null,
    sent_at: null,
    ...more,
  };
}

describe('why a list is not in step', () => {
  const files = ['jobs/list_wishes.py', 'jobs/list_sending.py', 'domain/local_lists/decide.py'];
  const source = files.map((file) => readFileSync(new URL(file, SOURCES), 'utf8')).join('\n');

  it.each(Object.keys(REASONS))('is known in the words of the server: %s', (words) => {
    expect(source).toContain(`"${words}"`);
  });

  it('is read from sentences with something in them', () => {
    expect(source).toContain('f"it is switched off there: set {name} to true"');
    expect(source).toContain('f"the station answered {reply.outcome}"');
    expect(sayWhy(explain('it is switched off there: set LocalAuthListEnabled to true'))).toContain(
      'Set LocalAuthListEnabled to true.',
    );
    expect(sayWhy(explain('the station answered failed'))).toBe(
      'The station answered that it failed.',
    );
    expect(sayWhy(explain('the station answered busy: try later'))).toBe(
      'The station answered “busy”. try later',
    );
  });

  it('is told as it came when nobody knows it', () => {
    expect(explain('no answer within 30 s')).toEqual({ words: 'no answer within 30 s' });
  });

  it('depends on whether the station is there', () => {
    const behind = list({ state: 'behind', wanted_entries: 41 });
    expect(whyOf(behind, true)).toEqual({ key: 'why.turn' });
    expect(whyOf(behind, false)).toEqual({ key: 'why.away' });
  });

  it('tells of tokens that have no room, or are too long where there is room', () => {
    expect(whyOf(list(), true)).toBeNull();
    expect(sayWhy(whyOf(list({ left_out: 1 }), true))).toBe(
      '1 token is too long for the OCPP of the station.',
    );
    expect(sayWhy(whyOf(list({ left_out: 7, wanted_entries: 50 }), true))).toBe(
      'The station takes 50: 7 tokens have no room or are too long.',
    );
  });
});

describe('how a list stands', () => {
  it('follows a rule before the server has come to the station', () => {
    expect(stateOf(list({ kept: false }))).toBe('not_kept');
    const kept = list({ state: 'not_kept', detail: 'a rule says that it is not kept' });
    expect(stateOf(kept)).toBe('behind');
    expect(whyOf(kept, true)).toEqual({ key: 'why.turn' });
    const relayed = list({
      state: 'not_kept',
      detail: 'it is relayed, and the other back end leads it',
    });
    expect(stateOf(relayed)).toBe('not_kept');
    expect(whyOf(relayed, true)).toEqual({ key: 'why.relayed' });
  });

  it('has tokens only where something is known of them', () => {
    expect(tokensOf(list({ state: 'behind', entries: 12 }))).toEqual({ held: 12, wanted: 40 });
    expect(tokensOf(list({ state: 'unsupported', entries: 0 }))).toBeNull();
    expect(tokensOf(list({ kept: false, entries: 12 }))).toEqual({ held: 12, wanted: 12 });
    expect(tokensOf(list({ entries: 0, wanted_entries: 0 }))).toEqual({ held: 0, wanted: 0 });
  });
});

describe('rules', () => {
  const stations = [
    { id: 'A', site_id: 's1' },
    { id: 'B', site_id: 's1' },
    { id: 'C', site_id: 's2' },
    { id: 'D', site_id: null },
  ];
  const all = { site_id: null, station_id: null };
  const site = { site_id: 's1', station_id: null };
  const own = { site_id: null, station_id: 'B' };
  const rules = [
    { ...all, kept: false },
    { ...site, kept: true },
    { ...own, kept: false },
  ];

  it('of a station win over those of its site, these over the one for all', () => {
    expect(stations.map((station) => ruleFor(station, rules, true))).toEqual([
      { kept: true, by: 'site' },
      { kept: false, by: 'station' },
      { kept: false, by: 'all' },
      { kept: false, by: 'all' },
    ]);
    // A station without a site is not at a site of no number.
    expect(ruleFor({ id: 'D', site_id: null }, [], true)).toEqual({ kept: true, by: 'default' });
  });

  it('decide for stations of which no narrower one says anything', () => {
    const counted = [all, site, own].map((place) => decidedBy(place, stations, rules, true));
    expect(counted).toEqual([2, 1, 1]);
  });

  it('change what is otherwise than before, and nothing else', () => {
    const change = (place: typeof all | typeof site | typeof own, kept: boolean | null) =>
      changedBy(place, kept, stations, rules, true);
    expect(change(all, null)).toEqual({ kept: 2, left: 0 });
    expect(change(all, false)).toEqual({ kept: 0, left: 0 });
    expect(change(site, false)).toEqual({ kept: 0, left: 1 });
    expect(change(own, null)).toEqual({ kept: 1, left: 0 });
  });
});
