// The table of all lists: draws only the rows that are seen, so that 20,000 are as quick as twenty.
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import {
  useEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
} from 'react';
import { classes } from './classes';
import type { Cell } from './csv';
import { LoadingRows } from './states';
import { MOST_PRINTED, useHeldRows, usePhone, usePrinting } from './table-hooks';
import { tUi } from './text';
import { leastWidth } from './tracks';

export interface Column<Row> {
  id: string;
  header: string;
  /** The header is for screen readers only. */
  headerHidden?: boolean;
  cell: (row: Row) => ReactNode;
  /** A track of CSS grid: `120px`, `minmax(160px, 2fr)`. */
  width: string;
  align?: 'right';
  /** Makes the column sortable. */
  sort?: (row: Row) => string | number;
  /** Sorts downwards first. */
  descendingFirst?: boolean;
  /** What the cell says as plain text: found by the table's search, and written to CSV. */
  text?: (row: Row) => Cell;
}

export interface Sorting {
  column: string;
  descending: boolean;
}

interface Props<Row> {
  label: string;
  rows: Row[];
  rowKey: (row: Row) => string;
  columns: Column<Row>[];
  /** Shown in place of the columns below 640 px; without it the first column stands over the others. */
  phoneRow?: (row: Row) => ReactNode;
  sorting?: Sorting | undefined;
  onSort?: (sorting: Sorting) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (selected: Set<string>) => void;
  /**
   * Called by a click on a row. For the keyboard a row has a link in its first cell or, where it has no address of its
   * own, a button with `data-opens-row`.
   */
  onOpen?: (row: Row) => void;
  isOpen?: (row: Row) => boolean;
  loading?: boolean;
  empty?: ReactNode;
  /** Keep the order while somebody points at the table; what waits is told and can be taken over. */
  freeze?: boolean;
  /** By what the rows were found and sorted: who asks for something else gets it at once, frozen or not. */
  asked?: unknown;
  onEnd?: () => void;
  rowHeight?: number;
  className?: string;
}

export function sortRows<Row>(rows: Row[], columns: Column<Row>[], sorting?: Sorting): Row[] {
  const by = columns.find((column) => column.id === sorting?.column)?.sort;
  if (!by || !sorting) return rows;
  const sign = sorting.descending ? -1 : 1;
  const keyed = rows.map((row) => [by(row), row] as const);
  keyed.sort(([a], [b]) =>
    typeof a === 'number' && typeof b === 'number'
      ? sign * (a - b)
      : a === b
        ? 0
        : sign * (String(a) < String(b) ? -1 : 1),
  );
  return keyed.map(([, row]) => row);
}

export function DataTable<Row>({
  label,
  rows: given,
  rowKey,
  columns,
  phoneRow,
  sorting,
  onSort,
  selected,
  onSelect,
  onOpen,
  isOpen,
  loading = false,
  empty,
  freeze = false,
  asked,
  onEnd,
  rowHeight = 32,
  className,
}: Props<Row>) {
  const area = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState(false);
  const phone = usePhone();
  const { rows, waiting, release } = useHeldRows(given, rowKey, freeze && pointed, asked);
  const height = phone ? 60 : rowHeight;
  // What the columns say in lines may need more of them than two; such a row is as high as it must.
  const grows = phone && phoneRow === undefined;
  const printing = usePrinting();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => area.current,
    estimateSize: () => height,
    overscan: printing ? MOST_PRINTED : 12,
    getItemKey: (index) => {
      const row = rows[index];
      return row === undefined ? index : rowKey(row);
    },
  });
  useEffect(() => virtual.measure(), [height, virtual]);

  const items = virtual.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? -1;
  const latestEnd = useRef(onEnd);
  useEffect(() => {
    latestEnd.current = onEnd;
  });
  useEffect(() => {
    if (lastSeen >= 0 && lastSeen >= rows.length - 10) latestEnd.current?.();
  }, [lastSeen, rows.length]);

  const template = [onSelect && '36px', ...columns.map((column) => column.width)]
    .filter(Boolean)
    .join(' ');
  const allSelected = selected !== undefined && rows.length > 0 && selected.size >= rows.length;

  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target instanceof HTMLInputElement && event.target.type !== 'checkbox') return;
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step === undefined) return;
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    const index = row ? Number(row.dataset['index']) + step : 0;
    if (index < 0 || index >= rows.length) return;
    event.preventDefault();
    virtual.scrollToIndex(index);
    requestAnimationFrame(() => {
      area.current
        ?.querySelector<HTMLElement>(`[data-index="${index}"] :is(a[href], button)`)
        ?.focus();
    });
  };

  const toggle = (key: string) => {
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect?.(next);
  };

  return (
    <div
      className={classes('relative flex min-h-0 flex-1 flex-col', className)}
      onPointerEnter={freeze ? () => setPointed(true) : undefined}
      onPointerLeave={freeze ? () => setPointed(false) : undefined}
    >
      {freeze && pointed && waiting > 0 && (
        <button
          type="button"
          onClick={release}
          className="no-print absolute top-10 left-1/2 z-10 h-7 -translate-x-1/2 rounded-full border border-line bg-raised px-3 text-xs text-accent shadow-overlay"
        >
          {tUi('table.waiting', { count: waiting })}
        </button>
      )}
      {/* The arrow keys go from row to row; the rows' links have the focus. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        ref={area}
        role="region"
        aria-label={label}
        // Scrolled by keyboard.
        tabIndex={0}
        onKeyDown={move}
        className="print-open min-h-0 flex-1 overflow-auto focus-visible:-outline-offset-2"
      >
        <div
          role="table"
          aria-label={label}
          aria-rowcount={rows.length + 1}
          style={phone ? undefined : { minWidth: leastWidth(template) }}
        >
          <div
            role="rowgroup"
            className={classes(
              'sticky top-0 z-[5] border-b border-line bg-surface text-xs text-muted',
              phone && 'sr-only',
            )}
          >
            <div
              role="row"
              className="grid h-8 items-center px-4"
              style={{ gridTemplateColumns: template }}
            >
              {onSelect && (
                <div role="columnheader" className="flex items-center">
                  <input
                    type="checkbox"
                    aria-label={tUi('table.select-all')}
                    className="size-4"
                    checked={allSelected}
                    onChange={() => onSelect(allSelected ? new Set() : new Set(rows.map(rowKey)))}
                  />
                </div>
              )}
              {columns.map((column, place) => (
                <HeaderCell
                  key={column.id}
                  column={column}
                  sorting={sorting}
                  onSort={onSort}
                  apart={isApart(columns, place)}
                />
              ))}
            </div>
          </div>
          {rows.length === 0 ? (
            <div role="rowgroup">
              <div role="row">
                <div role="cell">{loading ? <LoadingRows rows={8} /> : empty}</div>
              </div>
            </div>
          ) : (
            <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
              {items.map((item) => {
                const row = rows[item.index];
                if (row === undefined) return null;
                const key = rowKey(row);
                const isSelected = selected?.has(key) ?? false;
                return (
                  // The links inside are for the keyboard; a click anywhere on the row is a convenience.
                  // eslint-disable-next-line jsx-a11y/click-events-have-key-events
                  <div
                    key={item.key}
                    {...(grows ? { ref: virtual.measureElement } : {})}
                    role="row"
                    tabIndex={-1}
                    data-index={item.index}
                    aria-rowindex={item.index + 2}
                    aria-selected={onSelect ? isSelected : undefined}
                    onClick={(event) => {
                      if (
                        !onOpen ||
                        (event.target as HTMLElement).closest(
                          'a,input,label,button:not([data-opens-row])',
                        )
                      )
                        return;
                      if (getSelection()?.toString()) return;
                      onOpen(row);
                    }}
                    className={classes(
                      'absolute top-0 left-0 w-full border-b border-line px-4',
                      phone ? 'flex items-center' : 'grid items-center',
                      onOpen && 'cursor-pointer hover:bg-hover',
                      (isSelected || isOpen?.(row)) && 'bg-accent-soft',
                    )}
                    style={{
                      ...(grows ? { minHeight: height } : { height }),
                      transform: `translateY(${item.start}px)`,
                      ...(phone ? {} : { gridTemplateColumns: template }),
                    }}
                  >
                    {phone ? (
                      <div role="cell" className="w-[calc(100vw-58px)] min-w-0">
                        {phoneRow ? phoneRow(row) : <PhoneLines columns={columns} row={row} />}
                      </div>
                    ) : (
                      <>
                        {onSelect && (
                          <div role="cell" className="flex items-center">
                            <input
                              type="checkbox"
                              aria-label={tUi('table.select', { row: key })}
                              className="size-4"
                              checked={isSelected}
                              onChange={() => toggle(key)}
                            />
                          </div>
                        )}
                        {columns.map((column, place) => (
                          <div
                            key={column.id}
                            role="cell"
                            onPointerEnter={tellWhole}
                            className={classes(
                              isApart(columns, place) && 'pl-5',
                              'min-w-0 truncate pr-3 last:pr-0',
                              column.align === 'right' && 'text-right tabular',
                            )}
                          >
                            {column.cell(row)}
                          </div>
                        ))}
                      </>
                    )}
                  </div>
                );
              })}
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

/** What a cell cuts off is told when somebody points at it. */
function tellWhole({ currentTarget: cell }: PointerEvent<HTMLElement>) {
  if (cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent;
  else cell.removeAttribute('title');
}

/** A row in two lines: the first column with the acts beside it, and what the others say below. */
function PhoneLines<Row>({ columns, row }: { columns: Column<Row>[]; row: Row }) {
  const [first, ...others] = columns;
  const acts = others.filter((column) => column.id === 'act');
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5 py-2">
      <div className="min-w-52 flex-1">
        <div className="truncate font-medium">{first?.cell(row)}</div>
        <div className="text-xs break-words text-muted">
          {others
            .filter((column) => column.id !== 'act')
            .map((column) => (
              <span key={column.id} className="mr-2 last:mr-0">
                {/* A figure alone does not say what it counts. */}
                {column.align === 'right' && column.header && `${column.header} `}
                {column.cell(row)}{' '}
              </span>
            ))}
        </div>
      </div>
      {acts.map((column) => (
        <div key={column.id} className="ml-auto shrink-0">
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}

/** A column that begins where figures end needs air, or the two are read as one. */
function isApart<Row>(columns: Column<Row>[], place: number): boolean {
  return columns[place]?.align !== 'right' && columns[place - 1]?.align === 'right';
}

function HeaderCell<Row>({
  column,
  sorting,
  onSort,
  apart,
}: {
  apart: boolean;
  column: Column<Row>;
  sorting: Sorting | undefined;
  onSort: ((sorting: Sorting) => void) | undefined;
}) {
  const sorted = sorting?.column === column.id ? sorting : undefined;
  const right = column.align === 'right';
  const Arrow = sorted?.descending ? ArrowDown : ArrowUp;
  return (
    <div
      // A column of buttons has no name.
      role={column.header ? 'columnheader' : 'cell'}
      aria-sort={sorted ? (sorted.descending ? 'descending' : 'ascending') : undefined}
      className={classes(
        'min-w-0 truncate pr-3 font-medium last:pr-0',
        right && 'text-right',
        apart && 'pl-5',
      )}
    >
      {column.sort && onSort ? (
        <button
          type="button"
          onClick={() =>
            onSort({
              column: column.id,
              descending: sorted ? !sorted.descending : (column.descendingFirst ?? false),
            })
          }
          className={classes(
            'inline-flex h-6 items-center gap-1 rounded hover:text-text',
            sorted && 'text-text',
          )}
        >
          {column.header}
          {sorted && <Arrow aria-hidden size={12} />}
        </button>
      ) : (
        <span className={column.headerHidden ? 'sr-only' : undefined}>{column.header}</span>
      )}
    </div>
  );
}
