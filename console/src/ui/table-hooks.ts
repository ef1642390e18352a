// What the table of all lists knows of its surroundings, and how it holds its rows still.
import { useEffect, useMemo, useState } from 'react';
import { flushSync } from 'react-dom';

const PHONE = matchMedia('(max-width: 639px)');

/** Whether the window is as narrow as a phone. */
export function usePhone(): boolean {
  const [phone, setPhone] = useState(PHONE.matches);
  useEffect(() => {
    const hear = () => setPhone(PHONE.matches);
    PHONE.addEventListener('change', hear);
    return () => PHONE.removeEventListener('change', hear);
  }, []);
  return phone;
}

/** So many rows are printed at most. */
export const MOST_PRINTED = 2000;

/** Whether the page is being printed: then rows are there that the window does not show. */
export function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const begin = () => flushSync(() => setPrinting(true));
    const end = () => setPrinting(false);
    addEventListener('beforeprint', begin);
    addEventListener('afterprint', end);
    return () => {
      removeEventListener('beforeprint', begin);
      removeEventListener('afterprint', end);
    };
  }, []);
  return printing;
}

/** Rows as they are to be shown: sorted, and held still while `held`, until something else is `asked`. */
export function useHeldRows<Row>(
  rows: Row[],
  rowKey: (row: Row) => string,
  held: boolean,
  asked: unknown,
) {
  const [shown, setShown] = useState(rows);
  const [released, setReleased] = useState(0);
  useEffect(() => {
    if (!held) setShown(rows);
  }, [rows, held]);
  useEffect(() => {
    setShown(rows);
    // Only when asked for: `rows` changes all the time.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [released, asked]);
  const inPlace = useMemo(() => {
    if (!held) return rows;
    const current = new Map(rows.map((row) => [rowKey(row), row]));
    return shown.map((row) => current.get(rowKey(row)) ?? row);
  }, [rows, shown, held, rowKey]);
  const waiting = useMemo(() => {
    if (!held || shown === rows) return 0;
    let moved = Math.max(0, rows.length - shown.length);
    const end = Math.min(rows.length, shown.length);
    for (let index = 0; index < end; index += 1) {
      const before = shown[index];
      const after = rows[index];
      if (before && after && rowKey(before) !== rowKey(after)) moved += 1;
    }
    return moved;
  }, [rows, shown, held, rowKey]);
  return { rows: inPlace, waiting, release: () => setReleased((count) => count + 1) };
}
