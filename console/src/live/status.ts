// Seven statuses for people, from the many words of OCPP. Shape, colour and word always go together.

export const STATUSES = [
  'faulted',
  'offline',
  'unavailable',
  'charging',
  'occupied',
  'reserved',
  'available',
] as const;
export type Status = (typeof STATUSES)[number];

const MEANING: Record<string, Status> = {
  available: 'available',
  preparing: 'occupied',
  charging: 'charging',
  suspended_ev: 'occupied',
  suspended_evse: 'occupied',
  finishing: 'occupied',
  occupied: 'occupied',
  reserved: 'reserved',
  unavailable: 'unavailable',
  faulted: 'faulted',
  offline: 'offline',
  unknown: 'unavailable',
};

/** Give the status for people. */
export function statusOf(word: string): Status {
  return MEANING[word] ?? 'unavailable';
}

const TRIAGE = new Map<Status, number>(STATUSES.map((status, index) => [status, index]));

/** Give the place in the order of triage: what needs a person comes first. */
export function urgency(word: string): number {
  return TRIAGE.get(statusOf(word)) ?? STATUSES.length;
}
