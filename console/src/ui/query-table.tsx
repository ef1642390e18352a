// A table of what one question to the server gives, with all that can happen to it.
import type { UseQueryResult } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { useMemo, useRef, type ReactNode } from 'react';
import { useShortcut } from '@/app/shortcuts';
import { Button, IconButton } from './button';
import { fileName, saveFile, toCsv } from './csv';
import { DataTable, type Column } from './data-table';
import { SearchField } from './fields';
import { SavedViews } from './saved-views';
import { EmptyState, ErrorState } from './states';
import { tUi } from './text';

/** Rows in which every word of a text is found. */
export function findRows<Row>(rows: Row[], columns: Column<Row>[], text: string): Row[] {
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

/** Columns with a `text` are searched (`q` in the address, `/` goes there) and saved as CSV under `name`. */
export function QueryTable<Row>({
  query,
  label,
  columns,
  rowKey,
  empty,
  rowHeight,
  name,
  search = false,
  actions,
  phoneRow,
  onOpen,
}: {
  query: Pick<UseQueryResult<{ items: Row[] }>, 'data' | 'error' | 'isError' | 'isPending'> & {
    refetch: () => unknown;
  };
  label: string;
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  empty: ReactNode;
  rowHeight?: number;
  /** Names the file of a download; without it there is none. */
  name?: string;
  /** With a field to search in; the route must know `q`. */
  search?: boolean;
  /** Above the table, on the right. */
  actions?: ReactNode;
  phoneRow?: (row: Row) => ReactNode;
  onOpen?: (row: Row) => void;
}) {
  const { q } = useSearch({ strict: false });
  const navigate = useNavigate();
  const text = search ? (q ?? '') : '';
  const all = query.data?.items;
  const rows = useMemo(() => findRows(all ?? [], columns, text), [all, columns, text]);
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const change = (next: string) =>
    void navigate({
      to: '.',
      search: ((before: Record<string, unknown>) => ({
        ...before,
        q: next || undefined,
      })) as never,
      replace: true,
      resetScroll: false,
    });
  const said = columns.filter((column) => column.text);
  const save = () =>
    name &&
    saveFile(
      fileName(name),
      toCsv(
        said.map((column) => column.header),
        rows.map((row) => said.map((column) => column.text?.(row))),
      ),
    );
  return (
    <>
      {(search || actions != null || (name !== undefined && rows.length > 0)) && (
        <div className="no-print flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5">
          {search && <Find text={text} onText={change} label={label} />}
          <div className="ml-auto flex flex-wrap items-center justify-end gap-2">
            {actions}
            {search && name !== undefined && <SavedViews screen={name} />}
            {name && (
              <IconButton
                icon={Download}
                label={tUi('csv')}
                onClick={save}
                disabled={rows.length === 0}
              />
            )}
          </div>
        </div>
      )}
      <DataTable
        label={label}
        rows={rows}
        rowKey={rowKey}
        columns={columns}
        loading={query.isPending}
        empty={
          text && all && all.length > 0 ? (
            <EmptyState
              title={tUi('find.none', { text })}
              action={<Button onClick={() => change('')}>{tUi('find.clear')}</Button>}
            />
          ) : (
            empty
          )
        }
        {...(rowHeight === undefined ? {} : { rowHeight })}
        {...(phoneRow === undefined ? {} : { phoneRow })}
        {...(onOpen === undefined ? {} : { onOpen })}
      />
    </>
  );
}

function Find({
  text,
  onText,
  label,
}: {
  text: string;
  onText: (text: string) => void;
  label: string;
}) {
  const field = useRef<HTMLInputElement>(null);
  useShortcut('/', tUi('find.label', { what: label }), () => field.current?.focus());
  return (
    <SearchField
      ref={field}
      label={tUi('find.label', { what: label })}
      value={text}
      onValue={onText}
      shortcut="/"
      className="w-64 max-sm:w-full"
    />
  );
}
