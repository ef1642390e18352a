import { Link, useNavigate } from '@tanstack/react-router';
import { Braces, Download, ListFilter } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Became, Detail, outcomeText } from '@/screens/tasks/outcome';
import { ResultMark, type Result } from '@/screens/tasks/parts';
import { t } from '@/screens/tasks/text';
import { IconButton } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { Dialog } from '@/ui/dialog';
import { download } from '@/ui/download';
import { Select } from '@/ui/fields';
import { csvSource, type Source } from '@/ui/gather';
import { Ago } from '@/ui/live';
import { Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { tUi } from '@/ui/text';
import { RESULT_STATES, taskRoute } from './route';

const since = (row: Result) => row.finished_at ?? row.answered_at ?? row.sent_at ?? row.created_at;

function useColumns(hasWaves: boolean, onShow: (row: Result) => void): Column<Result>[] {
  return useMemo(() => {
    const columns: Column<Result>[] = [
      {
        id: 'station',
        header: t('c.station'),
        width: 'minmax(150px, 1fr)',
        cell: (row) => (
          <Link
            to="/stations/$stationId"
            params={{ stationId: row.station_id }}
            className="font-medium hover:underline"
          >
            {row.station_id}
          </Link>
        ),
      },
      {
        id: 'state',
        header: t('c.result'),
        width: '140px',
        cell: (row) => <ResultMark state={row.state} />,
      },
      {
        id: 'outcome',
        header: t('c.outcome'),
        width: 'minmax(120px, 1fr)',
        cell: (row) => <span className="text-muted">{outcomeText(row.outcome)}</span>,
      },
      {
        id: 'detail',
        header: t('c.detail'),
        width: 'minmax(160px, 2fr)',
        cell: (row) => (
          <span className="text-muted">
            <Detail row={row} />
          </span>
        ),
      },
      {
        id: 'attempts',
        header: t('c.attempts'),
        width: '76px',
        align: 'right',
        cell: (row) => (row.attempts > 0 ? `${row.attempts}×` : '–'),
      },
      {
        id: 'at',
        header: t('c.at'),
        width: '100px',
        align: 'right',
        cell: (row) => <Ago at={since(row)} />,
      },
      {
        id: 'answer',
        header: t('c.answer'),
        width: '72px',
        align: 'right',
        cell: (row) =>
          Object.keys(row.result).length > 0 && (
            <IconButton
              icon={Braces}
              label={t('c.show', { station: row.station_id })}
              onClick={() => onShow(row)}
              className="!size-7"
            />
          ),
      },
    ];
    if (hasWaves)
      columns.splice(1, 0, {
        id: 'wave',
        header: t('c.wave'),
        width: '64px',
        align: 'right',
        cell: (row) => row.wave ?? '–',
      });
    return columns;
  }, [hasWaves, onShow]);
}

/** Asks for a page of the results that are filtered for. */
type AskResults = Source<Result>['ask'];

export function Results({
  rows,
  hasWaves,
  name,
  ask,
  onEnd,
}: {
  rows: Result[];
  hasWaves: boolean;
  /** Names the file of a download. */
  name: string;
  ask: AskResults;
  onEnd: () => void;
}) {
  const { state } = taskRoute.useSearch();
  const navigate = useNavigate({ from: '/tasks/$taskId' });
  const [shown, setShown] = useState<Result | null>(null);
  const columns = useColumns(hasWaves, setShown);
  return (
    <Panel
      flush
      title={t('results')}
      className="min-h-80 flex-1 overflow-hidden"
      actions={
        <>
          <Select
            aria-label={t('filter')}
            value={state ?? ''}
            onChange={(event) =>
              void navigate({
                search: { state: RESULT_STATES.find((each) => each === event.target.value) },
                replace: true,
                resetScroll: false,
              })
            }
            className="!w-40"
          >
            <option value="">{t('filter.all')}</option>
            {RESULT_STATES.map((each) => (
              <option key={each} value={each}>
                {t(`r.${each}`)}
              </option>
            ))}
          </Select>
          <IconButton
            icon={Download}
            label={tUi('csv')}
            onClick={() => downloadResults(name, ask)}
          />
        </>
      }
    >
      <DataTable
        label={t('results.table')}
        rows={rows}
        rowKey={(row) => String(row.number)}
        columns={columns}
        onEnd={onEnd}
        className="border-t border-line"
        phoneRow={(row) => (
          <div>
            <p className="flex items-center justify-between gap-2">
              <Link
                to="/stations/$stationId"
                params={{ stationId: row.station_id }}
                className="truncate font-medium"
              >
                {row.station_id}
              </Link>
              <ResultMark state={row.state} />
            </p>
            <p className="truncate text-xs text-muted">
              <Became row={row} />
            </p>
          </div>
        )}
        empty={<EmptyState icon={ListFilter} title={t('results.none')} />}
      />
      {shown && (
        <Dialog
          open
          wide
          onOpenChange={(next) => !next && setShown(null)}
          title={t('result')}
          description={shown.station_id}
        >
          <pre className="mb-4 overflow-auto rounded-md bg-sunken p-3 font-mono text-xs">
            {JSON.stringify(shown.result, null, 2)}
          </pre>
        </Dialog>
      )}
    </Panel>
  );
}

const SAVED = [
  'station_id',
  'state',
  'outcome',
  'detail',
  'attempts',
  'wave',
  'sent_at',
  'answered_at',
  'finished_at',
] as const;

function downloadResults(name: string, ask: AskResults): void {
  download(
    `task-${name}`,
    csvSource<Result>(
      [...SAVED, 'result'],
      (row) => [...SAVED.map((field) => row[field]), JSON.stringify(row.result)],
      ask,
    ),
  );
}
