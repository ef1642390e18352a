// What a station is set to: search, change, history, and where it differs from its templates.
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Download, History, Lock, Pencil, RefreshCw, SlidersHorizontal } from 'lucide-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { absolute } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import { Button, IconButton } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { download } from '@/ui/download';
import { SearchField } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { csvSource, PAGE_ROWS } from '@/ui/gather';
import { Ago } from '@/ui/live';
import { Segments } from '@/ui/segments';
import { EmptyState, ErrorState } from '@/ui/states';
import { tUi } from '@/ui/text';
import { toast } from '@/ui/toast';
import { answerTo } from './ask';
import { ChangeSetting, SettingHistory } from './configuration-dialogs';
import { DriftNotice, RebootNotice } from './configuration-drift';
import { t } from './configuration-text';
import { stationRoute } from './route';

export type Variable = Schemas['StationVariable'];
type Asked = { act: 'change' | 'history'; variable: Variable } | null;

interface Filter {
  sought: string;
  writable: boolean | undefined;
}

function askVariables(
  stationId: string,
  { sought, writable }: Filter,
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
) {
  return data(
    api.GET('/api/v1/stations/{station_id}/variables', {
      params: {
        path: { station_id: stationId },
        query: {
          limit,
          ...(sought ? { q: sought } : {}),
          ...(writable ? { writable: true } : {}),
          ...(cursor ? { cursor } : {}),
        },
      },
      signal,
    }),
  );
}

export function StationConfiguration({ stationId }: { stationId: string }) {
  const { find = '', writable } = stationRoute.useSearch();
  const sought = useDeferredValue(find);
  const navigate = useNavigate({ from: '/stations/$stationId' });
  const [asked, setAsked] = useState<Asked>(null);
  const drift = useDrift(stationId);
  const query = useInfiniteQuery({
    queryKey: ['station', stationId, 'variables', sought, writable ?? false],
    queryFn: ({ pageParam, signal }) =>
      askVariables(stationId, { sought, writable }, 200, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: (before) => before,
    refetchInterval: (current) =>
      current.state.data?.pages[0]?.reading.state === 'reading' ? 3000 : false,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const reading = query.data?.pages[0]?.reading;
  const differing = useMemo(
    () => new Set(drift.data?.items.map((each) => `${each.name} ${each.attribute}`)),
    [drift.data],
  );
  const columns = useColumns(differing, setAsked);
  const change = (next: Record<string, unknown>) =>
    void navigate({
      search: (before) => ({ ...before, ...next }),
      replace: true,
      resetScroll: false,
    });
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <>
      <div className="no-print flex flex-wrap items-center gap-2 px-4 py-2.5">
        <SearchField
          label={t('search')}
          value={find}
          onValue={(next) => change({ find: next || undefined })}
          shortcut="/"
          className="w-64 max-sm:min-w-44 max-sm:flex-1"
        />
        <Segments
          label={t('which')}
          choices={[
            { id: undefined, label: t('which.all') },
            { id: 'writable', label: t('which.writable') },
          ]}
          value={writable ? 'writable' : undefined}
          onValue={(next) => change({ writable: next ? true : undefined })}
        />
        <div className="ml-auto flex items-center gap-2">
          {reading && <ReadingText reading={reading} />}
          <ReadAgain stationId={stationId} />
          <IconButton
            icon={Download}
            label={tUi('csv')}
            disabled={rows.length === 0}
            onClick={() => downloadVariables(stationId, { sought, writable })}
          />
        </div>
      </div>
      {reading?.reboot_pending && (
        <RebootNotice stationId={stationId} onIdle={reading.reset_on_idle} />
      )}
      {drift.data && drift.data.items.length > 0 && (
        <DriftNotice stationId={stationId} drift={drift.data.items} />
      )}
      <DataTable
        label={t('title')}
        rows={rows}
        rowKey={(row) => `${row.name} ${row.attribute}`}
        columns={columns}
        rowHeight={40}
        loading={query.isPending}
        onEnd={() => {
          if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
        }}
        className="border-t border-line"
        empty={
          find || writable ? (
            <EmptyState
              title={t('none.found')}
              action={
                <Button onClick={() => change({ find: undefined, writable: undefined })}>
                  {tUi('find.clear')}
                </Button>
              }
            />
          ) : (
            <EmptyState icon={SlidersHorizontal} title={t('none')}>
              {t('none.hint')}
            </EmptyState>
          )
        }
      />
      {asked?.act === 'change' && (
        <ChangeSetting
          stationId={stationId}
          variable={asked.variable}
          onClose={() => setAsked(null)}
        />
      )}
      {asked?.act === 'history' && (
        <SettingHistory
          stationId={stationId}
          variable={asked.variable}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function useDrift(stationId: string) {
  return useQuery({
    queryKey: ['station', stationId, 'drift'],
    queryFn: () =>
      data(
        api.GET('/api/v1/stations/{station_id}/drift', {
          params: { path: { station_id: stationId } },
        }),
      ),
  });
}

function ReadingText({ reading }: { reading: Schemas['Reading'] }) {
  return (
    <span
      className="text-xs text-muted tabular max-sm:hidden"
      title={reading.detail || (reading.read_at ? absolute(reading.read_at) : undefined)}
    >
      {t(`reading.${reading.state}`)} {reading.read_at && <Ago at={reading.read_at} />}
    </span>
  );
}

function ReadAgain({ stationId }: { stationId: string }) {
  const may = useMay('call_stations');
  const station = useStation(stationId);
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  if (!may) return null;
  const read = async () => {
    setBusy(true);
    try {
      const given = await data(
        api.POST('/api/v1/stations/{station_id}/variables/read', {
          params: { path: { station_id: stationId } },
          body: { names: [], when_offline: 'refuse', expires_in_s: 600 },
        }),
      );
      await answerTo(given.task_id);
      toast('good', t('read.done'));
    } catch (fault) {
      toast('bad', t('read.failed'), faultText(fault));
    }
    setBusy(false);
    await queries.invalidateQueries({ queryKey: ['station', stationId] });
  };
  return (
    <Button
      icon={RefreshCw}
      busy={busy}
      disabled={busy || !station?.connected}
      onClick={() => void read()}
      aria-label={t('read')}
    >
      <span className="max-sm:sr-only">{t('read')}</span>
    </Button>
  );
}

const limits = (row: Variable): string =>
  row.values
    ? row.values.join(', ')
    : [row.min_limit, row.max_limit].some((each) => each !== null)
      ? `${row.min_limit ?? '…'} – ${row.max_limit ?? '…'}`
      : '';

function useColumns(
  differing: ReadonlySet<string>,
  onAsk: (asked: Asked) => void,
): Column<Variable>[] {
  const may = useMay('call_stations');
  return [
    {
      id: 'name',
      header: t('name'),
      width: 'minmax(240px, 3fr)',
      cell: (row) => (
        <div className="leading-4">
          <div className="truncate font-medium" title={row.name}>
            {row.name}
            {row.attribute !== 'actual' && (
              <span className="ml-2 text-xs font-normal text-muted">
                {t(`attribute.${row.attribute}`)}
              </span>
            )}
          </div>
          {row.key && row.key !== row.name && (
            <div className="truncate text-xs text-muted">{row.key}</div>
          )}
        </div>
      ),
    },
    {
      id: 'value',
      header: t('value'),
      width: 'minmax(140px, 2fr)',
      cell: (row) =>
        row.secret ? (
          <span className="inline-flex items-center gap-1.5 text-muted">
            <Lock aria-hidden size={13} />
            {t('secret')}
          </span>
        ) : (
          <span title={row.value ?? undefined}>
            <span className="font-mono text-xs">{row.value}</span>
            {row.unit && <span className="ml-1 text-xs text-muted">{row.unit}</span>}
            {differing.has(`${row.name} ${row.attribute}`) && (
              <span className="ml-2 text-xs text-warning">{t('differs')}</span>
            )}
          </span>
        ),
    },
    {
      id: 'limits',
      header: t('limits'),
      width: 'minmax(90px, 1fr)',
      cell: (row) => (
        <span className="text-xs text-muted" title={limits(row)}>
          {limits(row)}
        </span>
      ),
    },
    {
      id: 'access',
      header: t('access'),
      width: '92px',
      cell: (row) => (
        <span className="text-xs text-muted">
          {row.mutability ? t(`access.${row.mutability}`) : ''}
        </span>
      ),
    },
    {
      id: 'changed',
      header: t('changed'),
      width: '104px',
      align: 'right',
      cell: (row) => (
        <span className="text-muted" title={row.changed_by ?? undefined}>
          <Ago at={row.changed_at} />
        </span>
      ),
    },
    {
      id: 'act',
      header: '',
      width: '76px',
      align: 'right',
      cell: (row) => (
        <span className="inline-flex">
          {may && row.mutability !== 'read_only' && !row.secret && !row.constant && (
            <IconButton
              icon={Pencil}
              label={t('change.of', { name: row.name })}
              className="!size-7"
              onClick={() => onAsk({ act: 'change', variable: row })}
            />
          )}
          <IconButton
            icon={History}
            label={t('history.of', { name: row.name })}
            className="!size-7"
            onClick={() => onAsk({ act: 'history', variable: row })}
          />
        </span>
      ),
    },
  ];
}

const SAVED = [
  'name',
  'key',
  'attribute',
  'value',
  'unit',
  'mutability',
  'source',
  'changed_by',
  'changed_at',
] as const;

function downloadVariables(stationId: string, filter: Filter): void {
  download(
    `settings-${stationId}`,
    csvSource<Variable>(
      [...SAVED],
      (row) => SAVED.map((name) => row[name]),
      (cursor, signal) => askVariables(stationId, filter, PAGE_ROWS, cursor, signal),
    ),
  );
}
