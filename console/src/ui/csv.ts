// Downloads what a filter shows as CSV.

export type Cell = string | number | boolean | null | undefined;

function escape(cell: Cell): string {
  if (cell == null) return '';
  let text = String(cell);
  // A spreadsheet must not take a text of a station for a formula.
  if (typeof cell === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as lines, without a break after the last. */
export function csvLines(rows: Cell[][]): string {
  return rows.map((row) => row.map(escape).join(',')).join('\r\n');
}

export function toCsv(head: string[], rows: Cell[][]): string {
  return csvLines([head, ...rows]);
}

/** Have the browser save a text, or the parts of one, as a file. */
export function saveFile(
  name: string,
  content: string | string[],
  type = 'text/csv;charset=utf-8',
): void {
  const url = URL.createObjectURL(new Blob([content].flat(), { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A file name with today's date: `stations-2026-03-01.csv`. */
export function fileName(what: string, ending = 'csv'): string {
  return `${what}-${new Date().toISOString().slice(0, 10)}.${ending}`;
}
