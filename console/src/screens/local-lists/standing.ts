// How the list of a station stands, and by which rule it is kept. Pure.
import type { Schemas } from '@/api/client';

export type LocalList = Schemas['LocalList'];
export type Rule = Schemas['Rule'];
export type State = LocalList['state'];

/** Why a list is not in step, in the server's words, and the message that says it in the reader's language. */
export const REASONS = {
  'a rule says that it is not kept': 'why.rule',
  'it is relayed, and the other back end leads it': 'why.relayed',
  'it has not told yet whether it has a list': 'why.untold',
  'its SupportedFeatureProfiles do not name LocalAuthListManagement': 'why.profile',
  'it has not said that it has one': 'why.unsaid',
  'it has no LocalAuthListCtrlr, or says that it is not available': 'why.component',
  'it says that its lists are switched off': 'why.off',
} as const;
const SWITCHED_OFF = /^it is switched off there: set (\S+) to true$/;
const ANSWERED = /^the station answered ([a-z_]+)(?:: (.*))?$/s;

/** What is to be said of a list: a message with its values, or words of the server that no message is known for. */
export type Said =
  | { key: (typeof REASONS)[keyof typeof REASONS] }
  | { key: 'why.switch'; name: string }
  | { key: 'why.answered'; outcome: string; more: string }
  | { key: 'why.away' | 'why.turn' | 'why.unread' }
  | { key: 'why.room'; count: number; most: number }
  | { key: 'why.long'; count: number }
  | { words: string };

const isReason = (detail: string): detail is keyof typeof REASONS => detail in REASONS;

/** How a list stands. A rule that has just been changed holds although the server has not come to the station yet. */
export function stateOf(list: LocalList): State {
  if (!list.kept) return 'not_kept';
  const wasLeft = list.state === 'not_kept' && reasonOf(list.detail) === 'why.rule';
  return wasLeft ? 'behind' : list.state;
}

function reasonOf(detail: string): string | null {
  return isReason(detail) ? REASONS[detail] : null;
}

/** Why a list stands as it does; null when there is nothing to say. */
export function whyOf(list: LocalList, connected: boolean): Said | null {
  const state = stateOf(list);
  if (!list.kept) return { key: 'why.rule' };
  if (list.detail !== '' && reasonOf(list.detail) !== 'why.rule') return explain(list.detail);
  if (state === 'behind') return { key: connected ? 'why.turn' : 'why.away' };
  if (state === 'unknown') return { key: 'why.unread' };
  return leftOutOf(list);
}

/** Put the server's words into a message. */
export function explain(detail: string): Said {
  if (isReason(detail)) return { key: REASONS[detail] };
  const name = SWITCHED_OFF.exec(detail)?.[1];
  if (name !== undefined) return { key: 'why.switch', name };
  const answered = ANSWERED.exec(detail);
  if (answered) {
    return { key: 'why.answered', outcome: answered[1] ?? '', more: answered[2] ?? '' };
  }
  return { words: detail };
}

/** Why tokens that may charge are not on a list: there is no room, or they are too long for its OCPP. */
export function leftOutOf(list: LocalList): Said | null {
  if (list.left_out === 0) return null;
  return list.wanted_entries < list.most_entries
    ? { key: 'why.long', count: list.left_out }
    : { key: 'why.room', count: list.left_out, most: list.most_entries };
}

/** How many tokens a list has and is to have; null where nothing is known of one. */
export function tokensOf(list: LocalList): { held: number; wanted: number } | null {
  const state = stateOf(list);
  if (state === 'in_step') return { held: list.entries, wanted: list.entries };
  if (state === 'behind' || state === 'failed')
    return { held: list.entries, wanted: list.wanted_entries };
  return list.entries > 0 ? { held: list.entries, wanted: list.entries } : null;
}

/** For what a rule holds: a station, a site, or with neither everything. */
export interface Place {
  site_id: string | null;
  station_id: string | null;
}

export interface Placed {
  id: string;
  site_id: string | null;
}

type Ruled = Place & { kept: boolean };

const isSame = (one: Place, other: Place) =>
  one.site_id === other.site_id && one.station_id === other.station_id;

/** Say whether a station's list is kept, and by the rule of what. */
export function ruleFor(
  station: Placed,
  rules: readonly Ruled[],
  keptByDefault: boolean,
): { kept: boolean; by: 'station' | 'site' | 'all' | 'default' } {
  const own = rules.find((rule) => rule.station_id === station.id);
  if (own) return { kept: own.kept, by: 'station' };
  const site = rules.find((rule) => rule.site_id !== null && rule.site_id === station.site_id);
  if (site) return { kept: site.kept, by: 'site' };
  const all = rules.find((rule) => rule.site_id === null && rule.station_id === null);
  return all ? { kept: all.kept, by: 'all' } : { kept: keptByDefault, by: 'default' };
}

/** Count the stations for which a rule decides. */
export function decidedBy(
  place: Place,
  stations: readonly Placed[],
  rules: readonly Ruled[],
  keptByDefault: boolean,
): number {
  const by = place.station_id !== null ? 'station' : place.site_id !== null ? 'site' : 'all';
  return stations.filter(
    (station) =>
      ruleFor(station, rules, keptByDefault).by === by &&
      (place.station_id === null || place.station_id === station.id) &&
      (place.site_id === null || place.site_id === station.site_id),
  ).length;
}

/** Count the stations whose lists are kept, or left alone, from now on if a rule is set; with null: if it is removed. */
export function changedBy(
  place: Place,
  kept: boolean | null,
  stations: readonly Placed[],
  rules: readonly Ruled[],
  keptByDefault: boolean,
): { kept: number; left: number } {
  const others = rules.filter((rule) => !isSame(rule, place));
  const after = kept === null ? others : [...others, { ...place, kept }];
  const changed = { kept: 0, left: 0 };
  for (const station of stations) {
    const next = ruleFor(station, after, keptByDefault).kept;
    if (next === ruleFor(station, rules, keptByDefault).kept) continue;
    if (next) changed.kept += 1;
    else changed.left += 1;
  }
  return changed;
}
