// Numbers as people type them: with a comma or a point, empty for none, three for three phases.
import { number } from '@/i18n/quantity';

export type PerPhase = number | [number, number, number];

/** Read a number; null for nothing, undefined for what is none. */
export function readAmount(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const value = Number(text.trim().replace(',', '.'));
  return Number.isFinite(value) ? value : undefined;
}

/** Read one number for all phases or three; null for nothing, undefined for what is neither. */
export function readPerPhase(text: string): PerPhase | null | undefined {
  const parts = text
    .split(/[\s/;]+/)
    .filter(Boolean)
    .map(readAmount);
  if (parts.length === 0) return null;
  const [l1, l2, l3] = parts;
  if (parts.length === 1) return l1 ?? undefined;
  if (parts.length !== 3 || l1 == null || l2 == null || l3 == null) return undefined;
  return l1 === l2 && l2 === l3 ? l1 : [l1, l2, l3];
}

/** Write a number so that `readAmount` reads it. */
export const writeAmount = (value: number | null | undefined): string =>
  value == null ? '' : String(value);

export const writePerPhase = (value: PerPhase | null | undefined): string =>
  value == null ? '' : typeof value === 'number' ? String(value) : value.join(' / ');

/** A limit for people: `63 A`, `63 / 63 / 50 A`. */
export const sayPerPhase = (value: PerPhase): string =>
  `${(typeof value === 'number' ? [value] : value).map((each) => number(each)).join(' / ')}\u00a0A`;

/** A part's name, or its id where it has none. */
export function nameOf(part: { id: string; name?: string | undefined }): string {
  return part.name !== undefined && part.name !== '' ? part.name : part.id;
}
