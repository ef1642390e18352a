// Logs of a station: asked for, on their way, and those that have come.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Download, FileText, Plus, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { absolute, number } from '@/i18n/quantity';
import { Became } from '@/screens/tasks/outcome';
import { ResultMark } from '@/screens/tasks/parts';
import { Button, IconButton } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, Input, Select } from '@/ui/fields';
import { faultText, FormDialog } from '@/ui/form';
import { Ago } from '@/ui/live';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { toast } from '@/ui/toast';
import { useCommands } from './firmware';
import { t } from './records-text';

type Log = Schemas['StationLog'];
const RECENT = 3;

export function StationLogs({ stationId }: { stationId: string }) {
  const may = useMay('call_stations');
  const mayRemove = useMay('change_stations');
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [doomed, setDoomed] = useState<Log | null>(null);
  const requests = useCommands(stationId, 'get_logs');
  const query = useQuery({
    queryKey: ['logs', stationId],
    queryFn: () =>
      data(api.GET('/api/v1/logs', { params: { query: { station_id: stationId, limit: 500 } } })),
  });
  // What a request has brought shows as soon as it is done.
  const done = requests.data?.items.filter((each) => each.state === 'done').length ?? 0;
  useEffect(() => {
    if (done > 0) void queries.invalidateQueries({ queryKey: ['logs', stationId] });
  }, [done, queries, stationId]);
  const remove = async (log: Log) => {
    try {
      await api.DELETE('/api/v1/logs/{log_id}', { params: { path: { log_id: log.id } } });
      await queries.invalidateQueries({ queryKey: ['logs', stationId] });
    } catch (fault) {
      toast('bad', t('refused'), faultText(fault));
    }
    setDoomed(null);
  };
  const columns: Column<Log>[] = [
    {
      id: 'file',
      header: t('logs.file'),
      width: 'minmax(180px, 2fr)',
      text: (log) => log.file_name,
      cell: (log) => (
        <a
          href={`/api/v1/logs/${log.id}/content`}
          download={log.file_name}
          className="font-medium hover:underline"
        >
          {log.file_name}
        </a>
      ),
    },
    {
      id: 'kind',
      header: t('logs.kind'),
      width: '130px',
      text: (log) => log.kind,
      cell: (log) => (log.kind === 'security' ? t('logs.security') : t('logs.diagnostics')),
    },
    {
      id: 'size',
      header: t('logs.size'),
      width: '100px',
      align: 'right',
      text: (log) => log.size_bytes,
      cell: (log) => `${number(log.size_bytes / 1000, 1)}\u00a0kB`,
    },
    {
      id: 'sha256',
      header: 'SHA-256',
      width: 'minmax(120px, 1fr)',
      text: (log) => log.sha256,
      cell: (log) => (
        <span className="font-mono text-xs text-muted" title={log.sha256}>
          {log.sha256.slice(0, 16)}…
        </span>
      ),
    },
    {
      id: 'at',
      header: t('logs.received'),
      width: '120px',
      align: 'right',
      text: (log) => absolute(log.received_at),
      cell: (log) => <Ago at={log.received_at} />,
    },
    {
      id: 'act',
      header: '',
      width: '80px',
      align: 'right',
      cell: (log) => (
        <span className="inline-flex">
          <a
            href={`/api/v1/logs/${log.id}/content`}
            download={log.file_name}
            aria-label={t('logs.download', { name: log.file_name })}
            title={t('logs.download', { name: log.file_name })}
            className="inline-flex size-7 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text"
          >
            <Download aria-hidden size={16} />
          </a>
          {mayRemove && (
            <IconButton
              icon={Trash2}
              label={t('logs.remove', { name: log.file_name })}
              className="!size-7"
              onClick={() => setDoomed(log)}
            />
          )}
        </span>
      ),
    },
  ];
  return (
    <>
      <Requests rows={requests.data?.items ?? []} />
      <QueryTable
        query={query}
        label={t('tab.logs')}
        columns={columns}
        rowKey={(log) => log.id}
        name={`logs-${stationId}`}
        actions={
          may && (
            <Button icon={Plus} onClick={() => setAsking(true)}>
              {t('logs.ask')}
            </Button>
          )
        }
        empty={
          <EmptyState icon={FileText} title={t('logs.none')}>
            {t('logs.none.hint')}
          </EmptyState>
        }
      />
      {asking && <AskForLog stationId={stationId} onClose={() => setAsking(false)} />}
      {doomed && (
        <ConfirmDialog
          open
          destructive
          onOpenChange={(open) => !open && setDoomed(null)}
          title={t('logs.remove', { name: doomed.file_name })}
          action={t('remove')}
          consequence={t('logs.remove.consequence')}
          onConfirm={() => void remove(doomed)}
        />
      )}
    </>
  );
}

/** The newest requests that are not done: on their way, or what went wrong. */
function Requests({ rows }: { rows: Schemas['StationCommand'][] }) {
  const shown = rows.slice(0, RECENT).filter((row) => row.state !== 'done');
  if (shown.length === 0) return null;
  return (
    <ul aria-label={t('logs.requests')} className="border-b border-line">
      {shown.map((row) => (
        <li key={row.number} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1.5">
          <ResultMark state={row.state} />
          <span className="text-muted">
            {row.parameters['kind'] === 'security' ? t('logs.security') : t('logs.diagnostics')}
          </span>
          <span className="min-w-0 flex-1 truncate text-muted" title={row.detail}>
            <Became row={row} />
          </span>
          <span className="text-xs text-muted">
            <Ago at={row.created_at} />
          </span>
          <Link
            to="/tasks/$taskId"
            params={{ taskId: row.task_id }}
            className="text-accent hover:underline"
          >
            {t('task')}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function AskForLog({ stationId, onClose }: { stationId: string; onClose: () => void }) {
  const queries = useQueryClient();
  const [kind, setKind] = useState('diagnostics');
  const [since, setSince] = useState('');
  const [until, setUntil] = useState('');
  const moment = (text: string) => (text ? new Date(text).toISOString() : null);
  return (
    <FormDialog
      title={t('logs.ask')}
      description={t('logs.ask.hint')}
      action={t('logs.ask')}
      onClose={onClose}
      onSubmit={async () => {
        await api.POST('/api/v1/stations/{station_id}/commands', {
          params: { path: { station_id: stationId } },
          body: {
            command: 'get_logs',
            kind,
            since: moment(since),
            until: moment(until),
          } as never,
        });
        await queries.invalidateQueries({ queryKey: ['station', stationId, 'commands'] });
        onClose();
      }}
    >
      {(errorOf) => (
        <>
          <Field label={t('logs.kind')}>
            <Select value={kind} onChange={(event) => setKind(event.target.value)}>
              <option value="diagnostics">{t('logs.diagnostics')}</option>
              <option value="security">{t('logs.security')}</option>
            </Select>
          </Field>
          <div className="grid gap-3 sm:grid-cols-2">
            <Field label={t('logs.since')} error={errorOf('since')}>
              <Input
                type="datetime-local"
                value={since}
                onChange={(event) => setSince(event.target.value)}
              />
            </Field>
            <Field label={t('logs.until')} error={errorOf('until')}>
              <Input
                type="datetime-local"
                value={until}
                onChange={(event) => setUntil(event.target.value)}
              />
            </Field>
          </div>
        </>
      )}
    </FormDialog>
  );
}
