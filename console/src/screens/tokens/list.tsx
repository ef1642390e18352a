import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Ban, Check, Nfc, Plus, X } from 'lucide-react';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { queries } from '@/api/queries';
import { day, moment, NOTHING, number } from '@/i18n/quantity';
import { TransferTools } from '@/transfer/tools';
import { Button, IconButton } from '@/ui/button';
import { DataTable, sortRows, type Column } from '@/ui/data-table';
import { ConfirmDialog } from '@/ui/dialog';
import { SearchField, Select } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { SavedViews } from '@/ui/saved-views';
import { Segments } from '@/ui/segments';
import { EmptyState, ErrorState } from '@/ui/states';
import { toast } from '@/ui/toast';
import { SORTS, STATES, tokensRoute, type TokensSearch } from './route';
import { t } from './text';

const TokenForm = lazy(() =>
  import('./token-form').then((found) => ({ default: found.TokenForm })),
);

export type Token = Schemas['Token'];

async function fetchAll(): Promise<Token[]> {
  const found = await allPages((cursor) =>
    data(api.GET('/api/v1/tokens', { params: { query: { limit: 1000, cursor } } })),
  );
  return found.items;
}

export const tokensQuery = { queryKey: ['tokens', 'all'], queryFn: fetchAll, staleTime: 30_000 };

/** What a token's state is today: a date that has passed counts. */
export function stateOf(token: Token, now = Date.now()): Token['status'] {
  const isOver = token.valid_until !== null && new Date(token.valid_until).getTime() < now;
  return token.status === 'accepted' && isOver ? 'expired' : token.status;
}

function State({ token }: { token: Token }) {
  const state = stateOf(token);
  const Icon = state === 'accepted' ? Check : state === 'blocked' ? Ban : X;
  return (
    <span
      className={`inline-flex items-center gap-1.5 align-middle ${state === 'accepted' ? '' : 'text-muted'}`}
    >
      <Icon aria-hidden size={14} className={state === 'accepted' ? 'text-good' : ''} />
      {t(`state.${state}`)}
    </span>
  );
}

/** Every token; `onNote` is told how many are shown. */
export function TokenList({ onNote }: { onNote: (note: string) => void }) {
  const search = tokensRoute.useSearch();
  const navigate = useNavigate({ from: '/tokens' });
  const mayChange = useMay('change_tokens');
  const tokens = useQuery(tokensQuery);
  const [editing, setEditing] = useState<Token | 'new' | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [blocking, setBlocking] = useState<'block' | 'unblock' | 'remove' | null>(null);
  const change = (next: Partial<TokensSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const all = useMemo(() => tokens.data ?? [], [tokens.data]);
  const groups = useMemo(
    () => [...new Set(all.map((token) => token.group_id).filter((id) => id !== null))].sort(),
    [all],
  );
  const columns = useMemo(
    () => columnsFor(mayChange ? setEditing : undefined, (group) => change({ group })),
    // The columns do not change with what `change` closes over.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [mayChange],
  );
  const rows = useMemo(() => {
    const words = (search.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const found = all.filter((token) => {
      const text = `${token.uid} ${token.holder} ${token.group_id ?? ''}`.toLowerCase();
      return (
        (!search.status || stateOf(token) === search.status) &&
        (!search.group || token.group_id === search.group) &&
        words.every((word) => text.includes(word))
      );
    });
    return sortRows(found, columns, {
      column: search.sort ?? 'uid',
      descending: search.desc === true,
    });
  }, [all, columns, search.q, search.status, search.group, search.sort, search.desc]);
  const note = tokens.data ? t('shown', { shown: rows.length, total: all.length }) : '';
  useEffect(() => {
    onNote(note);
    return () => onNote('');
  }, [note, onNote]);
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-3">
        <SearchField
          label={t('search')}
          value={search.q ?? ''}
          onValue={(q) => change({ q: q || undefined })}
          shortcut="/"
          className="w-64 max-sm:min-w-44 max-sm:flex-1"
        />
        <Segments
          label={t('filter')}
          choices={[
            { id: undefined, label: t('state.all') },
            ...STATES.slice(0, 3).map((id) => ({ id, label: t(`state.${id}`) })),
          ]}
          value={search.status}
          onValue={(status) => change({ status })}
        />
        {groups.length > 0 && (
          <Select
            aria-label={t('column.group')}
            value={search.group ?? ''}
            onChange={(event) => change({ group: event.target.value || undefined })}
            className="!w-36 max-sm:!w-28 max-sm:flex-1"
          >
            <option value="">{t('group.any')}</option>
            {groups.map((group) => (
              <option key={group}>{group}</option>
            ))}
          </Select>
        )}
        <div className="ml-auto flex items-center gap-2">
          <SavedViews screen="tokens" />
          <TransferTools kind="tokens" mayChange={mayChange} />
          {mayChange && (
            <Button look="primary" icon={Plus} onClick={() => setEditing('new')}>
              {t('add')}
            </Button>
          )}
        </div>
      </div>
      {selected.size > 0 && (
        <div
          role="toolbar"
          aria-label={t('bulk')}
          className="flex flex-wrap items-center gap-2 border-t border-line bg-accent-soft px-4 py-2"
        >
          <IconButton
            icon={X}
            label={t('clear')}
            className="-ml-2"
            onClick={() => setSelected(new Set())}
          />
          <span className="mr-2 font-medium tabular" role="status">
            {t('selected', { count: selected.size })}
          </span>
          <Button icon={Ban} onClick={() => setBlocking('block')}>
            {t('block')}
          </Button>
          <Button icon={Check} onClick={() => setBlocking('unblock')}>
            {t('unblock')}
          </Button>
          <Button onClick={() => setBlocking('remove')}>{t('remove')}</Button>
        </div>
      )}
      {tokens.isError ? (
        <ErrorState error={tokens.error} onRetry={() => void tokens.refetch()} />
      ) : (
        <DataTable
          label={t('title')}
          rows={rows}
          rowKey={(token) => token.uid}
          columns={columns}
          sorting={{ column: search.sort ?? 'uid', descending: search.desc === true }}
          onSort={(next) =>
            change({
              sort: SORTS.find((each) => each === next.column && each !== 'uid'),
              desc: next.descending || undefined,
            })
          }
          {...(mayChange ? { selected, onSelect: setSelected, onOpen: setEditing } : {})}
          loading={tokens.isPending}
          className="border-t border-line"
          phoneRow={(token) => (
            <div className="flex items-center gap-3">
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium">{token.holder || token.uid}</p>
                <p className="truncate font-mono text-xs text-muted">{token.uid}</p>
              </div>
              <State token={token} />
            </div>
          )}
          empty={
            <EmptyState
              icon={Nfc}
              title={t(all.length > 0 ? 'none' : 'empty')}
              action={
                all.length > 0 && (
                  <Button
                    onClick={() => change({ q: undefined, status: undefined, group: undefined })}
                  >
                    {t('none.clear')}
                  </Button>
                )
              }
            >
              {t(all.length > 0 ? 'none.hint' : 'empty.hint')}
            </EmptyState>
          }
        />
      )}
      {editing && (
        <Suspense>
          <TokenForm
            token={editing === 'new' ? null : editing}
            groups={groups}
            onClose={() => setEditing(null)}
          />
        </Suspense>
      )}
      {blocking && (
        <Bulk
          act={blocking}
          uids={[...selected]}
          onClose={(done) => {
            setBlocking(null);
            if (done) setSelected(new Set());
          }}
        />
      )}
    </>
  );
}

function columnsFor(
  onEdit: ((token: Token) => void) | undefined,
  onGroup: (group: string) => void,
): Column<Token>[] {
  return [
    {
      id: 'uid',
      header: t('column.uid'),
      width: 'minmax(160px, 1.3fr)',
      sort: (token) => token.uid,
      cell: (token) =>
        onEdit ? (
          <button
            type="button"
            onClick={() => onEdit(token)}
            className="font-mono text-xs font-medium hover:underline"
          >
            {token.uid}
          </button>
        ) : (
          <span className="font-mono text-xs">{token.uid}</span>
        ),
    },
    {
      id: 'holder',
      header: t('column.holder'),
      width: 'minmax(150px, 1.5fr)',
      sort: (token) => token.holder.toLowerCase(),
      cell: (token) => token.holder || <span className="text-muted">{NOTHING}</span>,
    },
    {
      id: 'kind',
      header: t('column.kind'),
      width: '120px',
      sort: (token) => token.kind,
      cell: (token) => <span className="text-muted">{t('kind', { kind: token.kind })}</span>,
    },
    {
      id: 'status',
      header: t('column.status'),
      width: '120px',
      sort: stateOf,
      cell: (token) => <State token={token} />,
    },
    {
      id: 'group',
      header: t('column.group'),
      width: 'minmax(90px, 0.8fr)',
      sort: (token) => token.group_id ?? '',
      cell: ({ group_id: group }) =>
        group === null ? (
          <span className="text-muted">{NOTHING}</span>
        ) : (
          <button type="button" onClick={() => onGroup(group)} className="hover:underline">
            {group}
          </button>
        ),
    },
    {
      id: 'until',
      header: t('column.until'),
      width: '150px',
      sort: (token) => token.valid_until ?? '9',
      cell: (token) => (
        <span className="text-muted">
          {token.valid_until ? moment(token.valid_until) : t('until.never')}
        </span>
      ),
    },
    {
      id: 'created',
      header: t('column.created'),
      width: '112px',
      align: 'right',
      sort: (token) => token.created_at,
      cell: (token) => <span className="text-muted">{day(token.created_at)}</span>,
    },
  ];
}

function Bulk({
  act,
  uids,
  onClose,
}: {
  act: 'block' | 'unblock' | 'remove';
  uids: string[];
  onClose: (done: boolean) => void;
}) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    const faults: string[] = [];
    for (const uid of uids) {
      const path = { uid };
      try {
        if (act === 'remove') await api.DELETE('/api/v1/tokens/{uid}', { params: { path } });
        else
          await api.PATCH('/api/v1/tokens/{uid}', {
            params: { path },
            body: { status: act === 'block' ? 'blocked' : 'accepted' },
          });
      } catch (fault) {
        faults.push(`${uid}: ${faultText(fault)}`);
      }
    }
    await queries.invalidateQueries({ queryKey: ['tokens'] });
    if (faults.length === 0) toast('good', t(`${act}.done`, { count: uids.length }));
    else toast('bad', t('failed.some', { count: faults.length }), faults.slice(0, 3).join(' '));
    onClose(true);
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose(false)}
      title={t(`${act}.title`, { count: uids.length })}
      consequence={t(`${act}.consequence`)}
      action={t(act)}
      destructive={act !== 'unblock'}
      typed={uids.length > 10 ? number(uids.length) : undefined}
      busy={busy}
      onConfirm={() => void run()}
    />
  );
}
