import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Download, ScrollText } from 'lucide-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { absolute, moment } from '@/i18n/quantity';
import { IconButton } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { Dialog } from '@/ui/dialog';
import { download } from '@/ui/download';
import { Facts } from '@/ui/facts';
import { Input, SearchField } from '@/ui/fields';
import { csvSource, PAGE_ROWS } from '@/ui/gather';
import { readLocalMoment } from '@/ui/moments';
import { EmptyState, ErrorState } from '@/ui/states';
import { tUi } from '@/ui/text';
import { adminRoute, type AdminSearch } from './route';
import { t } from './text';

type Entry = Schemas['AuditEntry'];

interface Filter {
  actor: string;
  action: string;
  object: string;
  since: string | null;
}

function askAudit(
  { since, ...filter }: Filter,
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return data(
    api.GET('/api/v1/audit', {
      params: {
        query: { limit, ...filter, ...(since ? { since } : {}), ...(cursor ? { cursor } : {}) },
      },
      signal,
    }),
  );
}

export function Audit() {
  const search = adminRoute.useSearch();
  const navigate = useNavigate({ from: '/administration' });
  const change = (next: Partial<AdminSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const [open, setOpen] = useState<Entry | null>(null);
  const filter = useDeferredValue({
    actor: search.actor ?? '',
    action: search.action ?? '',
    object: search.object ?? '',
    since: search.since ? readLocalMoment(search.since) : null,
  });
  const entries = useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam, signal }) => askAudit(filter, 100, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const rows = useMemo(
    () => entries.data?.pages.flatMap((page) => page.items) ?? [],
    [entries.data],
  );
  const columns = useMemo<Column<Entry>[]>(() => columnsFor(setOpen), []);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        {(['actor', 'action', 'object'] as const).map((name) => (
          <SearchField
            key={name}
            label={t(`audit.${name}`)}
            value={search[name] ?? ''}
            onValue={(value) => change({ [name]: value || undefined })}
            {...(name === 'actor' ? { shortcut: '/' } : {})}
            className="w-48 max-sm:w-[calc(50%-4px)]"
          />
        ))}
        <label className="inline-flex items-center gap-2 text-muted max-sm:flex-1">
          {t('audit.since')}
          <Input
            type="datetime-local"
            value={search.since ?? ''}
            onChange={(event) => change({ since: event.target.value || undefined })}
            className="!w-48 text-text max-sm:!w-full"
          />
        </label>
        <IconButton
          icon={Download}
          label={tUi('csv')}
          className="ml-auto"
          disabled={rows.length === 0}
          onClick={() => downloadAudit(filter)}
        />
      </div>
      {entries.isError ? (
        <ErrorState error={entries.error} onRetry={() => void entries.refetch()} />
      ) : (
        <DataTable
          label={t('tab.audit')}
          rows={rows}
          rowKey={(entry) => entry.id}
          columns={columns}
          loading={entries.isPending}
          onOpen={setOpen}
          onEnd={() => {
            if (entries.hasNextPage && !entries.isFetchingNextPage) void entries.fetchNextPage();
          }}
          className="border-t border-line"
          phoneRow={(entry) => (
            <div>
              <p className="flex items-baseline gap-2">
                <span className="shrink-0 font-medium">{entry.action}</span>
                <span className="truncate text-xs text-muted">{entry.object}</span>
              </p>
              <p className="truncate text-xs text-muted">
                {moment(entry.at)} · {entry.actor}
              </p>
            </div>
          )}
          empty={
            <EmptyState icon={ScrollText} title={t('audit.none')}>
              {t('audit.none.hint')}
            </EmptyState>
          }
        />
      )}
      {open && <EntryDialog entry={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function columnsFor(onOpen: (entry: Entry) => void): Column<Entry>[] {
  return [
    {
      id: 'at',
      header: t('audit.at'),
      width: '160px',
      cell: (entry) => (
        <span className="text-muted tabular" title={absolute(entry.at)}>
          {moment(entry.at)}
        </span>
      ),
    },
    {
      id: 'actor',
      header: t('audit.actor'),
      width: 'minmax(150px, 1fr)',
      cell: (entry) => entry.actor,
    },
    {
      id: 'action',
      header: t('audit.action'),
      width: 'minmax(150px, 1fr)',
      cell: (entry) => (
        <button type="button" onClick={() => onOpen(entry)} className="font-medium hover:underline">
          {entry.action}
        </button>
      ),
    },
    {
      id: 'object',
      header: t('audit.object'),
      width: 'minmax(160px, 1.2fr)',
      cell: (entry) => <span className="font-mono text-xs">{entry.object}</span>,
    },
    {
      id: 'changes',
      header: t('audit.changes'),
      width: 'minmax(160px, 1.5fr)',
      cell: (entry) => (
        <span className="text-muted">
          {differences(entry)
            .map((each) => each.name)
            .join(', ')}
        </span>
      ),
    },
    {
      id: 'from',
      header: t('audit.address'),
      width: '120px',
      cell: (entry) => <span className="text-muted">{entry.remote_address}</span>,
    },
  ];
}

interface Difference {
  name: string;
  before: string | null;
  after: string | null;
}

function write(value: unknown): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

/** What differs between before and after, by field. */
export function differences(entry: Pick<Entry, 'before' | 'after'>): Difference[] {
  const before = entry.before ?? {};
  const after = entry.after ?? {};
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((name) => ({ name, before: write(before[name]), after: write(after[name]) }))
    .filter((each) => each.before !== each.after);
}

function EntryDialog({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const changes = differences(entry);
  return (
    <Dialog open wide onOpenChange={(is) => !is && onClose()} title={entry.action}>
      <Facts
        lines={[
          [t('audit.at'), absolute(entry.at)],
          [t('audit.actor'), entry.actor],
          [t('audit.object'), entry.object],
          [t('audit.via'), entry.via],
          [t('audit.address'), entry.remote_address],
        ]}
      />
      {changes.length > 0 && (
        <table className="mt-2 mb-3 w-full table-fixed border-t border-line text-left">
          <thead className="text-xs text-muted">
            <tr className="border-b border-line">
              <th className="h-8 w-1/4 font-medium">{t('audit.field')}</th>
              <th className="font-medium">{t('audit.before')}</th>
              <th className="font-medium">{t('audit.after')}</th>
            </tr>
          </thead>
          <tbody className="align-top font-mono text-xs break-words">
            {changes.map((each) => (
              <tr key={each.name} className="border-b border-line last:border-0">
                <td className="py-1.5 pr-2">{each.name}</td>
                <td className="py-1.5 pr-2 whitespace-pre-wrap text-muted">
                  {each.before === null ? '–' : <del>{each.before}</del>}
                </td>
                <td className="py-1.5 whitespace-pre-wrap">
                  {each.after === null ? '–' : <ins className="no-underline">{each.after}</ins>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  );
}

function downloadAudit(filter: Filter): void {
  download(
    'audit',
    csvSource<Entry>(
      ['at', 'actor', 'action', 'object', 'before', 'after', 'via', 'remote_address'],
      (entry) => [
        entry.at,
        entry.actor,
        entry.action,
        entry.object,
        entry.before && JSON.stringify(entry.before),
        entry.after && JSON.stringify(entry.after),
        entry.via,
        entry.remote_address,
      ],
      (cursor, signal) => askAudit(filter, PAGE_ROWS, cursor, signal),
    ),
  );
}
