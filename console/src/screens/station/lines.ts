// Several lines on one list of times.
import type { PowerPoint } from '@/live/types';

/** Put lines onto one list of times: each holds its value until its next one. */
export function align(lines: PowerPoint[][], from: number) {
  const times = [...new Set(lines.flatMap((line) => line.map(([at]) => at)))]
    .filter((at) => at >= from)
    .sort((a, b) => a - b);
  const values = lines.map((line) => {
    let place = 0;
    return times.map((at) => {
      while (place < line.length && (line[place]?.[0] ?? Infinity) <= at) place += 1;
      const watts = line[place - 1]?.[1];
      return watts === undefined ? null : watts / 1000;
    });
  });
  return { times, values };
}
