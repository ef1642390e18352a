// Every station with its list of tokens: what it holds, and why that is not what it should be.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ListX } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { NOTHING, number } from '@/i18n/quantity';
import { displayName, useStations } from '@/live/hooks';
import type { LiveStation } from '@/live/types';
import { LIST_ORDERS, LIST_STATES, tokensRoute, type TokensSearch } from '@/screens/tokens/route';
import { Button } from '@/ui/button';
import { toCsv } from '@/ui/csv';
import { DataTable, sortRows, type Column } from '@/ui/data-table';
import { Ago } from '@/ui/live';
import { ListTools, useFound } from '@/ui/query-table';
import { Segments } from '@/ui/segments';
import { EmptyState, ErrorState } from '@/ui/states';
import { sayWhy, StateMark, Why } from './mark';
import { listsQuery, useListNews } from './questions';
import { stateOf, tokensOf, whyOf, type LocalList } from './standing';
import { t } from './text';

interface Row {
  list: LocalList;
  name: string;
  site: string | null;
  connected: boolean;
}

const whyOfRow = (row: Row) => whyOf(row.list, row.connected);

function Name({ row }: { row: Row }) {
  return (
    <Link
      to="/stations/$stationId"
      params={{ stationId: row.list.station_id }}
      search={{ tab: 'local-list' }}
      className="font-medium hover:underline"
    >
      {row.name}
    </Link>
  );
}

function Tokens({ list }: { list: LocalList }) {
  const tokens = tokensOf(list);
  if (!tokens) return <span className="text-muted">{NOTHING}</span>;
  return tokens.held === tokens.wanted
    ? number(tokens.held)
    : t('tokens.of', { held: tokens.held, wanted: tokens.wanted });
}

const figure = (value: number) =>
  value > 0 ? number(value) : <span className="text-muted">{NOTHING}</span>;

const COLUMNS: Column<Row>[] = [
  {
    id: 'station',
    header: t('column.station'),
    width: 'minmax(200px, 2fr)',
    sort: (row) => row.name.toLowerCase(),
    text: (row) => `${row.name} ${row.list.station_id}`,
    cell: (row) => (
      <>
        <Name row={row} />
        {row.name !== row.list.station_id && (
          <span className="ml-2 text-xs text-muted">{row.list.station_id}</span>
        )}
      </>
    ),
  },
  {
    id: 'state',
    header: t('column.state'),
    width: '130px',
    sort: (row) => LIST_STATES.indexOf(stateOf(row.list)),
    text: (row) => t(`state.${stateOf(row.list)}`),
    cell: (row) => <StateMark state={stateOf(row.list)} />,
  },
  {
    id: 'why',
    header: t('column.why'),
    width: 'minmax(200px, 2fr)',
    text: (row) => sayWhy(whyOfRow(row)),
    cell: (row) => (
      <span className="text-muted">
        <Why said={whyOfRow(row)} />
      </span>
    ),
  },
  {
    id: 'site',
    header: t('column.site'),
    width: 'minmax(100px, 1fr)',
    sort: (row) => row.site ?? '',
    text: (row) => row.site,
    cell: (row) => row.site ?? <span className="text-muted">{NOTHING}</span>,
  },
  {
    id: 'tokens',
    header: t('column.tokens'),
    width: '84px',
    align: 'right',
    sort: (row) => tokensOf(row.list)?.held ?? -1,
    descendingFirst: true,
    cell: (row) => <Tokens list={row.list} />,
  },
  {
    id: 'left_out',
    header: t('column.left_out'),
    width: '88px',
    align: 'right',
    sort: (row) => row.list.left_out,
    descendingFirst: true,
    cell: (row) => figure(row.list.left_out),
  },
  {
    id: 'version',
    header: t('column.version'),
    width: '70px',
    align: 'right',
    sort: (row) => row.list.version,
    descendingFirst: true,
    cell: (row) => figure(row.list.version),
  },
  {
    id: 'told',
    header: t('column.told'),
    width: '96px',
    align: 'right',
    sort: (row) => row.list.sent_at ?? '',
    descendingFirst: true,
    cell: (row) => (
      <span className="text-muted">
        <Ago at={row.list.sent_at} />
      </span>
    ),
  },
];

function rowOf(list: LocalList, station: LiveStation | undefined): Row {
  return {
    list,
    name: displayName(list.station_id, station),
    site: station?.site ?? null,
    connected: station?.connected ?? false,
  };
}

export function LocalLists({ onNote }: { onNote: (note: string) => void }) {
  const search = tokensRoute.useSearch();
  const navigate = useNavigate({ from: '/tokens' });
  const query = useQuery(listsQuery);
  useListNews();
  const stations = useStations(5000);
  const change = (next: Partial<TokensSearch>) =>
    void navigate({
      search: (before) => ({ ...before, ...next }),
      replace: true,
      resetScroll: false,
    });
  const all = useMemo(() => {
    const known = new Map(stations.map((station) => [station.id, station]));
    return query.data?.items.map((list) => rowOf(list, known.get(list.station_id)));
  }, [query.data, stations]);
  const found = useFound(all, COLUMNS);
  const counts = useMemo(() => {
    const counted = new Map<string, number>();
    for (const row of found) {
      const state = stateOf(row.list);
      counted.set(state, (counted.get(state) ?? 0) + 1);
    }
    return counted;
  }, [found]);
  const sorting = { column: search.order ?? 'state', descending: search.down === true };
  const rows = useMemo(
    () =>
      sortRows(
        search.list ? found.filter((row) => stateOf(row.list) === search.list) : found,
        COLUMNS,
        { column: sorting.column, descending: sorting.descending },
      ),
    [found, search.list, sorting.column, sorting.descending],
  );
  const note = all ? t('shown', { shown: rows.length, total: all.length }) : '';
  useEffect(() => {
    onNote(note);
    return () => onNote('');
  }, [note, onNote]);
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const isFiltered = Boolean(search.q ?? search.list);
  return (
    <>
      <ListTools
        rows={rows}
        columns={COLUMNS}
        label={t('title')}
        name="local-lists"
        search
        csv={csvOf}
      />
      <div className="no-print flex px-4 py-2.5">
        <Segments
          label={t('filter')}
          choices={[
            { id: undefined, label: t('state.all', { count: found.length }) },
            ...LIST_STATES.map((id) => ({
              id,
              label: t('state.count', { state: t(`state.${id}`), count: counts.get(id) ?? 0 }),
            })),
          ]}
          value={search.list}
          onValue={(list) => change({ list })}
        />
      </div>
      <DataTable
        label={t('title')}
        rows={rows}
        rowKey={(row) => row.list.station_id}
        columns={COLUMNS}
        sorting={sorting}
        onSort={(next) =>
          change({
            order: LIST_ORDERS.find((each) => each === next.column && each !== 'state'),
            down: next.descending || undefined,
          })
        }
        onOpen={(row) =>
          void navigate({
            to: '/stations/$stationId',
            params: { stationId: row.list.station_id },
            search: { tab: 'local-list' },
          })
        }
        loading={query.isPending}
        freeze
        asked={search}
        className="border-t border-line"
        phoneRow={(row) => (
          <div className="flex items-center gap-3">
            <div className="min-w-0 flex-1">
              <p className="truncate">
                <Name row={row} />
              </p>
              <p className="truncate text-xs text-muted">
                <PhoneWords row={row} />
              </p>
            </div>
            <span className="text-xs">
              <StateMark state={stateOf(row.list)} />
            </span>
          </div>
        )}
        empty={
          <EmptyState
            icon={ListX}
            title={t(isFiltered ? 'none' : 'empty')}
            action={
              isFiltered && (
                <Button onClick={() => change({ q: undefined, list: undefined })}>
                  {t('none.clear')}
                </Button>
              )
            }
          >
            {t(isFiltered ? 'none.hint' : 'empty.hint')}
          </EmptyState>
        }
      />
    </>
  );
}

/** On a phone: why it stands so, or else how many tokens are there. */
function PhoneWords({ row }: { row: Row }) {
  const said = whyOfRow(row);
  const tokens = tokensOf(row.list);
  if (said) return <Why said={said} />;
  return tokens && t('tokens.count', { count: tokens.held });
}

function csvOf(rows: Row[]): string {
  return toCsv(
    [
      'station_id',
      'name',
      'site',
      'ocpp_version',
      'state',
      'kept',
      'detail',
      'version',
      'entries',
      'wanted_entries',
      'left_out',
      'most_entries',
      'attempts',
      'next_at',
      'checked_at',
      'sent_at',
    ],
    rows.map(({ list, name, site }) => [
      list.station_id,
      name === list.station_id ? '' : name,
      site,
      list.ocpp_version,
      stateOf(list),
      list.kept,
      list.detail,
      list.version,
      list.entries,
      list.wanted_entries,
      list.left_out,
      list.most_entries,
      list.attempts,
      list.next_at,
      list.checked_at,
      list.sent_at,
    ]),
  );
}
