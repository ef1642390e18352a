// Calls and their answers belong together: a row of the list is both.
import type { Schemas } from '@/api/client';

export type Frame = Schemas['StationMessage'];

export interface Exchange {
  key: string;
  call: Frame;
  answer: Frame | null;
  /** How long the other side took; null where only the moment of receipt is known. */
  latencyMs: number | null;
}

const CALLS = new Set(['call', 'send']);

function other(direction: Frame['direction']): Frame['direction'] {
  return direction === 'in' ? 'out' : 'in';
}

/** Pair frames, newest first in and out. */
export function pair(frames: Frame[]): Exchange[] {
  return new Pairing().add(frames);
}

/**
 * Pairs frames that come newest first, a page at a time. Ids may be used again after a restart: an answer goes to the
 * newest call before it.
 */
export class Pairing {
  /** Answers whose call has not come yet. */
  private readonly open = new Map<string, Frame[]>();

  add(frames: Frame[]): Exchange[] {
    const found: Exchange[] = [];
    for (const frame of frames) {
      if (!CALLS.has(frame.type)) {
        const key = `${other(frame.direction)} ${frame.message_id}`;
        this.open.set(key, [...(this.open.get(key) ?? []), frame]);
      } else {
        found.push(this.withAnswer(frame));
      }
    }
    return found;
  }

  private withAnswer(call: Frame): Exchange {
    const key = `${call.direction} ${call.message_id}`;
    // Newest first: the answers seen so far are younger, the last of them is the nearest.
    const answers = this.open.get(key);
    const answer = answers?.pop() ?? null;
    if (answers?.length === 0) this.open.delete(key);
    const took = answer ? new Date(answer.at).getTime() - new Date(call.at).getTime() : 0;
    return {
      key: `${call.at} ${call.direction} ${call.message_id}`,
      call,
      answer,
      latencyMs: took > 0 ? took : null,
    };
  }
}

/** Put newly fetched frames before the known ones; what is in both is kept once. */
export function mergeFrames(fresh: Frame[], known: Frame[]): Frame[] {
  const key = (frame: Frame) => `${frame.at} ${frame.direction} ${frame.type} ${frame.message_id}`;
  const have = new Set(fresh.map(key));
  return [...fresh, ...known.filter((frame) => !have.has(key(frame)))];
}

export const ONLY = ['all', 'errors', 'repaired', 'open', 'in', 'out'] as const;
export type Only = (typeof ONLY)[number];

function isError(frame: Frame | null): boolean {
  return frame?.type === 'error' || frame?.type === 'result_error';
}

export function repairs(exchange: Exchange): string[] {
  return [...exchange.call.deviations, ...(exchange.answer?.deviations ?? [])];
}

export function fits(exchange: Exchange, only: Only, words: string[]): boolean {
  const { call, answer } = exchange;
  if (only === 'errors' && !isError(answer)) return false;
  if (only === 'repaired' && repairs(exchange).length === 0) return false;
  if (only === 'open' && (answer !== null || call.type === 'send')) return false;
  if ((only === 'in' || only === 'out') && call.direction !== only) return false;
  if (words.length === 0) return true;
  const text =
    `${call.action} ${call.message_id} ${JSON.stringify(call.payload)} ${answer ? JSON.stringify(answer.payload) : ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Give a frame as it went over the wire, as far as its parts tell. */
export function rawFrame(frame: Frame): string {
  const payload = frame.payload as { code?: string; description?: string; details?: unknown };
  switch (frame.type) {
    case 'call':
      return JSON.stringify([2, frame.message_id, frame.action, frame.payload], null, 2);
    case 'send':
      return JSON.stringify([6, frame.message_id, frame.action, frame.payload], null, 2);
    case 'result':
      return JSON.stringify([3, frame.message_id, frame.payload], null, 2);
    default:
      return JSON.stringify(
        [
          frame.type === 'error' ? 4 : 5,
          frame.message_id,
          payload.code,
          payload.description,
          payload.details,
        ],
        null,
        2,
      );
  }
}

/** Sum an answer up: its status if it has one, the code of an error, else nothing to say. */
export function gist(answer: Frame): string {
  const payload = answer.payload as Record<string, unknown> | null;
  if (payload && typeof payload === 'object') {
    if (isError(answer) && typeof payload['code'] === 'string') return payload['code'];
    for (const name of ['status', 'idTagInfo', 'idTokenInfo']) {
      const value = payload[name];
      if (typeof value === 'string') return value;
      if (value && typeof value === 'object' && 'status' in value) return String(value.status);
    }
  }
  return 'OK';
}

const MOST_CHARACTERS = 240;
const SKIPPED = new Set(['timestamp', 'meterValue']);

/** Sum a payload up in a line: its values by name, without what every message has. */
export function summary(payload: unknown): string {
  if (payload === null || typeof payload !== 'object') return String(payload);
  const parts: string[] = [];
  let length = 0;
  const walk = (value: object) => {
    for (const [name, each] of Object.entries(value) as [string, unknown][]) {
      if (length > MOST_CHARACTERS) return;
      if (SKIPPED.has(name)) continue;
      if (each !== null && typeof each === 'object') {
        if (Object.keys(each).length > 0) walk(each);
        continue;
      }
      const part = Array.isArray(value) ? String(each) : `${name} ${String(each)}`;
      parts.push(part);
      length += part.length + 2;
    }
  };
  walk(payload);
  return parts.join(', ').slice(0, MOST_CHARACTERS);
}
