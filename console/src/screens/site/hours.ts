// Opening hours between the API's form and lines that people type: pure.
import type { Schemas } from '@/api/client';

export type OpeningHours = Schemas['OpeningHours'];
type Span = Schemas['Span'];

export const DAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;
export type Day = (typeof DAYS)[number];

export function writeSpans(spans: readonly Span[] | undefined): string {
  return (spans ?? [])
    .map((span) => `${span.opens.slice(0, 5)}-${span.closes.slice(0, 5)}`)
    .join(', ');
}

const SPAN = /^(\d{1,2})(?::?(\d{2}))?\s*(?:-|–|to|bis)\s*(\d{1,2})(?::?(\d{2}))?$/;

/** Read `8-12, 13:00-18:30`; null when it cannot be read. Nothing is closed. */
export function readSpans(text: string): Span[] | null {
  const spans: Span[] = [];
  for (const part of text.split(/[,;]/)) {
    const trimmed = part.trim();
    if (!trimmed) continue;
    const found = SPAN.exec(trimmed);
    if (!found) return null;
    const opens = clockText(found[1], found[2]);
    const closes = clockText(found[3], found[4]);
    if (opens === null || closes === null || opens >= closes) return null;
    spans.push({ opens, closes });
  }
  return spans;
}

function clockText(hour: string | undefined, minute: string | undefined): string | null {
  const h = Number(hour);
  const m = Number(minute ?? 0);
  if (h > 24 || m > 59 || (h === 24 && m > 0)) return null;
  return `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`;
}
