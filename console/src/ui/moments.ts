// Moments in fields: what a field of the browser holds is in the reader's time zone and names none.

/** Write a moment for a field of type datetime-local. */
export function localMoment(at: string | number | Date): string {
  const moment = new Date(at);
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** Read such a field; null when it is empty. */
export function readLocalMoment(text: string): string | null {
  return text === '' ? null : new Date(text).toISOString();
}
