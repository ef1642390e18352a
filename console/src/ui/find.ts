// What is found in a list, and what a download says of it. Pure.
import { toCsv, type Cell } from './csv';

/** What of a row is searched, and what a download says of it. */
export interface Said<Row> {
  header: string;
  text?: (row: Row) => Cell;
}

/** Rows in which every word of a text is found. */
export function findRows<Row>(rows: Row[], columns: Said<Row>[], text: string): Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const whole = columns
      .map((column) => String(column.text?.(row) ?? ''))
      .join(' ')
      .toLowerCase();
    return words.every((word) => whole.includes(word));
  });
}

/** Rows as CSV, with the columns that say something as text. */
export function csvOf<Row>(rows: Row[], columns: Said<Row>[]): string {
  const said = columns.filter((column) => column.text);
  return toCsv(
    said.map((column) => column.header),
    rows.map((row) => said.map((column) => column.text?.(row))),
  );
}
