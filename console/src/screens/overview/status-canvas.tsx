// Thousands of stations as small marks, in blocks by site with their names.
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useDark } from '@/app/theme';
import { number } from '@/i18n/quantity';
import { STATUSES, statusOf, type Status } from '@/live/status';
import { statusWord } from '@/ui/status';
import type { SiteGroup } from './site-status';
import { t } from './text';

const CELL = 9;
const GAP = 2;
const STEP = CELL + GAP;
const HEAD = 17;
const SPACE = 14;

interface Block {
  group: SiteGroup;
  x: number;
  y: number;
  columns: number;
}

/** Lay the sites out in rows: every block as wide as it needs to be, at most five rows of marks high. */
export function layOut(groups: SiteGroup[], width: number): { blocks: Block[]; height: number } {
  const blocks: Block[] = [];
  let x = 0;
  let y = 0;
  let rowHeight = 0;
  const most = Math.max(4, Math.floor(width / STEP));
  for (const group of groups) {
    const columns = Math.min(most, Math.max(8, Math.ceil(group.stations.length / 5)));
    const blockWidth = columns * STEP;
    const blockHeight = HEAD + Math.ceil(group.stations.length / columns) * STEP + 8;
    if (x > 0 && x + blockWidth > width) {
      x = 0;
      y += rowHeight;
      rowHeight = 0;
    }
    blocks.push({ group, x, y, columns });
    x += blockWidth + SPACE;
    rowHeight = Math.max(rowHeight, blockHeight);
  }
  return { blocks, height: y + rowHeight };
}

export function StatusCanvas({ groups }: { groups: SiteGroup[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const navigate = useNavigate();
  const dark = useDark();
  const [width, setWidth] = useState(0);
  const [tip, setTip] = useState<{ x: number; y: number; text: string } | null>(null);
  const { blocks, height } = useMemo(() => layOut(groups, width), [groups, width]);

  useEffect(() => {
    const parent = canvas.current?.parentElement;
    if (!parent) return undefined;
    const watch = new ResizeObserver(() => setWidth(parent.clientWidth));
    watch.observe(parent);
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || width === 0) return;
    const scale = devicePixelRatio;
    if (
      element.width !== Math.round(width * scale) ||
      element.height !== Math.round(height * scale)
    ) {
      element.width = Math.round(width * scale);
      element.height = Math.round(height * scale);
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    const colours = coloursOf(element);
    context.font = "11px 'Inter Variable', sans-serif";
    context.textBaseline = 'top';
    context.fillStyle = colours.text;
    for (const { group, x, y, columns } of blocks) {
      context.fillText(shorten(context, group.name, columns * STEP), x, y + 1);
    }
    const byStatus = new Map<Status, [number, number][]>();
    for (const block of blocks) {
      block.group.stations.forEach((station, index) => {
        const status = statusOf(station.status);
        const places = byStatus.get(status) ?? [];
        places.push([
          block.x + (index % block.columns) * STEP,
          block.y + HEAD + Math.floor(index / block.columns) * STEP,
        ]);
        byStatus.set(status, places);
      });
    }
    for (const [status, places] of byStatus) {
      context.fillStyle = colours.marks[status];
      for (const [x, y] of places) mark(context, status, x, y);
    }
  }, [blocks, width, height, dark]);

  const stationAt = (event: React.MouseEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box) return undefined;
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    for (const block of blocks) {
      const column = Math.floor((x - block.x) / STEP);
      const row = Math.floor((y - block.y - HEAD) / STEP);
      if (column < 0 || column >= block.columns || row < 0) continue;
      const station = block.group.stations[row * block.columns + column];
      if (
        station &&
        y < block.y + HEAD + Math.ceil(block.group.stations.length / block.columns) * STEP
      ) {
        return { station, group: block.group, x, y };
      }
    }
    return undefined;
  };

  const counts = new Map<Status, number>();
  let total = 0;
  for (const group of groups) {
    for (const station of group.stations) {
      const status = statusOf(station.status);
      counts.set(status, (counts.get(status) ?? 0) + 1);
      total += 1;
    }
  }
  const summary = STATUSES.filter((status) => counts.has(status))
    .map((status) => `${statusWord(status)} ${number(counts.get(status) ?? 0)}`)
    .join(', ');

  return (
    <div className="relative">
      {/* The legend above and the list of stations say the same by keyboard. */}
      <canvas
        ref={canvas}
        role="img"
        aria-label={t('matrix.label', { count: total, summary })}
        className="block cursor-pointer"
        style={{ width, height }}
        onMouseMove={(event) => {
          const found = stationAt(event);
          setTip(
            found
              ? {
                  x: found.x,
                  y: found.y,
                  text: `${found.station.name || found.station.id} · ${found.group.name} · ${statusWord(found.station.status)}`,
                }
              : null,
          );
        }}
        onMouseLeave={() => setTip(null)}
        onClick={(event) => {
          const found = stationAt(event);
          if (found) {
            void navigate({ to: '/stations/$stationId', params: { stationId: found.station.id } });
          }
        }}
      />
      {tip && (
        <div
          className="pointer-events-none absolute z-10 rounded-md border border-line bg-raised px-2 py-1 text-xs whitespace-nowrap shadow-overlay"
          style={{
            top: tip.y + 14,
            ...(tip.x > width / 2 ? { right: width - tip.x } : { left: tip.x + 8 }),
          }}
        >
          {tip.text}
        </div>
      )}
    </div>
  );
}

/** Draw a mark: free ones are quiet squares, the others have the shape of their status. */
function mark(context: CanvasRenderingContext2D, status: Status, x: number, y: number): void {
  if (status === 'faulted') {
    context.beginPath();
    context.moveTo(x + CELL / 2, y);
    context.lineTo(x + CELL, y + CELL);
    context.lineTo(x, y + CELL);
    context.fill();
  } else if (status === 'unavailable') {
    context.fillRect(x, y + CELL / 3, CELL, CELL / 3);
  } else if (status === 'offline') {
    context.fillRect(x + 2, y + 2, CELL - 4, CELL - 4);
  } else {
    context.fillRect(x, y, CELL, CELL);
  }
}

function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let end = text.length - 1;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

function coloursOf(element: HTMLElement): { text: string; marks: Record<Status, string> } {
  const probe = document.createElement('span');
  element.parentElement?.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const marks = Object.fromEntries(
    STATUSES.map((status) => [
      status,
      read(status === 'available' ? '--cell-available' : `--status-${status}`),
    ]),
  ) as Record<Status, string>;
  const text = read('--muted');
  probe.remove();
  return { text, marks };
}
