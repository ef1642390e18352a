// Numbers with units, moments and durations, in the reader's language. One fixed decimal per quantity.
import { language, locale } from './index';

export interface Quantity {
  value: string;
  unit: string;
}

const numbers = new Map<number, Intl.NumberFormat>();

/** Write a number with exactly so many decimals. */
export function number(value: number, decimals = 0): string {
  let format = numbers.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    numbers.set(decimals, format);
  }
  return format.format(value);
}

export const NOTHING = '–';

/** Power: kW, and MW from one megawatt on. */
export function power(watts: number | null | undefined): Quantity {
  if (watts == null) return { value: NOTHING, unit: '' };
  return Math.abs(watts) >= 1e6
    ? { value: number(watts / 1e6, 2), unit: 'MW' }
    : { value: number(watts / 1e3, 1), unit: 'kW' };
}

/** Energy: kWh, and MWh from ten megawatt hours on. */
export function energy(wattHours: number | null | undefined): Quantity {
  if (wattHours == null) return { value: NOTHING, unit: '' };
  return Math.abs(wattHours) >= 1e7
    ? { value: number(wattHours / 1e6, 1), unit: 'MWh' }
    : { value: number(wattHours / 1e3, 1), unit: 'kWh' };
}

export function percent(share: number | null | undefined, decimals = 0): Quantity {
  return share == null
    ? { value: NOTHING, unit: '' }
    : { value: number(share, decimals), unit: '%' };
}

/** What was emitted: g, kg from one kilogram on, t from ten tonnes on. */
export function mass(grams: number | null | undefined): Quantity {
  if (grams == null) return { value: NOTHING, unit: '' };
  if (Math.abs(grams) >= 1e7) return { value: number(grams / 1e6, 1), unit: 't' };
  return Math.abs(grams) >= 1e3
    ? { value: number(grams / 1e3, 1), unit: 'kg' }
    : { value: number(grams), unit: 'g' };
}

/** A quantity in one string, with a no-break space between. */
export function joined(quantity: Quantity): string {
  return quantity.unit ? `${quantity.value}\u00a0${quantity.unit}` : quantity.value;
}

const clockFormat = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
const shortClockFormat = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
const dayFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
const momentFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const absoluteFormat = new Intl.DateTimeFormat(locale, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
});

export type Moment = string | number | Date;

export const clock = (at: Moment): string => clockFormat.format(new Date(at));
export const shortClock = (at: Moment): string => shortClockFormat.format(new Date(at));
export const day = (at: Moment): string => dayFormat.format(new Date(at));
export const moment = (at: Moment): string => momentFormat.format(new Date(at));
/** The whole moment with its time zone, for hover and for screen readers. */
export const absolute = (at: Moment): string => absoluteFormat.format(new Date(at));

/** The reader's time zone by its IANA name. */
export const timeZone: string = Intl.DateTimeFormat().resolvedOptions().timeZone;

const relativeFormat = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'narrow' });
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** How long ago (or until) a moment is. */
export function relative(at: Moment, now: number = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length)
      return relativeFormat.format(Math.trunc(seconds / length), unit);
  }
  return relativeFormat.format(Math.trunc(seconds), 'second');
}

/** A length of time: `42 min`, `3 h 05 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A short age for narrow columns: `4s`, `12m`, `3h`, `5d`. */
export function age(at: Moment, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - new Date(at).getTime()) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
