// Which failed handshakes may be the charger that is waited for. Pure.
import type { Schemas } from '@/api/client';

export type Handshake = Schemas['Handshake'];

const LOOK_BACK_MS = 600_000;

/** What failed for this identity lately, and what else failed since the page is open. */
export function sortOut(
  all: Handshake[],
  station: string | undefined,
  openedAt: number,
): { mine: Handshake[]; others: Handshake[] } {
  const wanted = station?.toLowerCase();
  const mine: Handshake[] = [];
  const others: Handshake[] = [];
  for (const each of all) {
    const at = Date.parse(each.last_at);
    const isMine = wanted !== undefined && each.subject.toLowerCase() === wanted;
    if (isMine ? at > openedAt - LOOK_BACK_MS : at > openedAt) (isMine ? mine : others).push(each);
  }
  return { mine, others: others.slice(0, 5) };
}
