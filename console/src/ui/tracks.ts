// The tracks of a table's grid. Pure.

/** What the columns need at least, with the padding of a row: the first length of each track. */
export function leastWidth(template: string): number {
  const tracks = template.match(/minmax\([^)]*\)|\S+/g) ?? [];
  return tracks.reduce((sum, track) => sum + Number(/([\d.]+)px/.exec(track)?.[1] ?? 0), 32);
}
