// A table of what one question to the server gives, with all that can happen to it.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Download } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import { Button, IconButton } from './button';
import { fileName, saveFile } from './csv';
import { DataTable, type Column } from './data-table';
import { SearchField } from './fields';
import { csvOf, findRows, type Said } from './find';
import { SavedViews } from './saved-views';
import { EmptyState, ErrorState } from './states';
import { tUi } from './text';

/** What has been asked of the server: a query, or what is told of one. */
export interface Question<Row> {
  data: { items: Row[] } | undefined;
  error: Error | null;
  isError: boolean;
  isPending: boolean;
  refetch: () => unknown;
}

/** What is looked for, in the address as `q`, and how to look for something else. */
function useLookedFor(): [string, (text: string) => void] {
  const { q } = useSearch({ strict: false });
  const navigate = useNavigate();
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
  return [q ?? '', change];
}

/** The rows that fit what is looked for. */
export function useFound<Row>(all: Row[] | undefined, columns: Said<Row>[]): Row[] {
  const [text] = useLookedFor();
  return useMemo(() => findRows(all ?? [], columns, text), [all, columns, text]);
}

/** Above a list: a field to search in, saved views, the download, and what can be done. */
export function ListTools<Row>({
  rows,
  columns,
  label,
  name,
  search,
  csv = (shown) => csvOf(shown, columns),
  tools,
  actions,
}: {
  /** What is shown, and so what is downloaded. */
  rows: Row[];
  columns: Said<Row>[];
  label: string;
  name: string | undefined;
  search: boolean;
  csv?: ((rows: Row[]) => string) | undefined;
  tools?: ReactNode;
  actions?: ReactNode;
}) {
  const [text, change] = useLookedFor();
  return (
    <div className="no-print flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5">
      {search && (
        <SearchField
          label={tUi('find.label', { what: label })}
          value={text}
          onValue={change}
          shortcut="/"
          className="w-64 max-sm:min-w-44 max-sm:flex-1"
        />
      )}
      {tools}
      <div className="ml-auto flex flex-wrap items-center justify-end gap-2">
        {search && name !== undefined && <SavedViews screen={name} />}
        {name !== undefined && (
          <IconButton
            icon={Download}
            label={tUi('csv')}
            onClick={() => saveFile(fileName(name), csv(rows))}
            disabled={rows.length === 0}
          />
        )}
        {actions}
      </div>
    </div>
  );
}

/** In place of a list in which nothing fits; `empty` when there is nothing to look in. */
export function NothingFound({ any, empty }: { any: boolean; empty: ReactNode }) {
  const [text, change] = useLookedFor();
  if (!text || !any) return empty;
  return (
    <EmptyState
      title={tUi('find.none', { text })}
      action={<Button onClick={() => change('')}>{tUi('find.clear')}</Button>}
    />
  );
}

/** Columns with a `text` are searched (`q` in the address, `/` goes there) and saved as CSV under `name`. */
export function QueryTable<Row>({
  query,
  label,
  hint,
  columns,
  rowKey,
  empty,
  rowHeight,
  name,
  search = false,
  csv,
  tools,
  actions,
  phoneRow,
  onOpen,
}: {
  query: Question<Row>;
  label: string;
  /** A sentence on what is listed. */
  hint?: string;
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  empty: ReactNode;
  rowHeight?: number;
  /** Names the file of a download; without it there is none. */
  name?: string;
  /** With a field to search in; the route must know `q`. */
  search?: boolean;
  /** Writes a download that says more than the columns do. */
  csv?: (rows: Row[]) => string;
  /** Above the table, beside the field to search in. */
  tools?: ReactNode;
  /** Above the table, on the right. */
  actions?: ReactNode;
  phoneRow?: (row: Row) => ReactNode;
  onOpen?: (row: Row) => void;
}) {
  const all = query.data?.items;
  const found = useFound(all, columns);
  const rows = search ? found : (all ?? []);
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <>
      {hint !== undefined && <p className="px-4 pt-3 text-muted">{hint}</p>}
      {(search || tools != null || actions != null || (name !== undefined && rows.length > 0)) && (
        <ListTools
          rows={rows}
          columns={columns}
          label={label}
          name={name}
          search={search}
          csv={csv}
          tools={tools}
          actions={actions}
        />
      )}
      <DataTable
        label={label}
        rows={rows}
        rowKey={rowKey}
        columns={columns}
        loading={query.isPending}
        empty={
          search ? <NothingFound any={all !== undefined && all.length > 0} empty={empty} /> : empty
        }
        {...(rowHeight === undefined ? {} : { rowHeight })}
        {...(phoneRow === undefined ? {} : { phoneRow })}
        {...(onOpen === undefined ? {} : { onOpen })}
      />
    </>
  );
}
