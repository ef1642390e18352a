// Brings a table in: tried first, with every fault by its row, and then in earnest.
import { CheckCircle2, CircleAlert, Download, FileUp } from 'lucide-react';
import { useId, useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { number } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import { fileName, saveFile, toCsv } from '@/ui/csv';
import { Dialog } from '@/ui/dialog';
import { Checkbox } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { tUi } from '@/ui/text';
import { t } from './text';

export type Kind = 'sites' | 'tokens' | 'stations';
type Report = Schemas['ImportReport'];

function send(kind: Kind, table: string, dryRun: boolean, skip: boolean): Promise<Report> {
  return data(
    api.POST('/api/v1/imports/{kind}', {
      params: { path: { kind }, query: { dry_run: dryRun, on_error: skip ? 'skip' : 'abort' } },
      body: table,
      bodySerializer: (body) => body,
      headers: { 'Content-Type': 'text/csv' },
    }),
  );
}

export function ImportDialog({ kind, onClose }: { kind: Kind; onClose: () => void }) {
  const [file, setFile] = useState<{ name: string; table: string } | null>(null);
  const [skip, setSkip] = useState(false);
  const [report, setReport] = useState<Report | null>(null);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const run = async (table: string, dryRun: boolean, skipBad: boolean) => {
    setBusy(true);
    setFault('');
    try {
      setReport(await send(kind, table, dryRun, skipBad));
      if (!dryRun) await queries.invalidateQueries();
    } catch (problem) {
      setReport(null);
      setFault(faultText(problem));
    } finally {
      setBusy(false);
    }
  };
  const take = async (chosen: File) => {
    const table = await chosen.text();
    setFile({ name: chosen.name, table });
    setReport(null);
    await run(table, true, skip);
  };
  const done = report !== null && !report.dry_run && report.applied;
  const changes = report ? report.created + report.updated : 0;
  const possible = report !== null && changes > 0 && (report.failed === 0 || skip);
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={t(`title.${kind}`)}
      description={t('hint')}
      footer={
        done ? (
          <Button look="primary" onClick={onClose}>
            {tUi('close')}
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>{tUi('cancel')}</Button>
            <Button
              look="primary"
              busy={busy}
              disabled={busy || !possible || file === null}
              onClick={() => file && void run(file.table, false, skip)}
            >
              {possible ? t('apply', { count: changes }) : t('apply.none')}
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-3">
        {!done && <FilePicker name={file?.name} onFile={(chosen) => void take(chosen)} />}
        {!done && (
          <Checkbox
            label={t('skip')}
            checked={skip}
            onChange={(event) => {
              setSkip(event.target.checked);
              if (file) void run(file.table, true, event.target.checked);
            }}
          />
        )}
        {fault && (
          <p role="alert" className="flex gap-1.5 text-danger">
            <CircleAlert aria-hidden size={15} className="mt-0.5 shrink-0" />
            {fault}
          </p>
        )}
        {report && <ReportView report={report} done={done} kind={kind} />}
        {!file && <Columns kind={kind} />}
      </div>
    </Dialog>
  );
}

function FilePicker({ name, onFile }: { name: string | undefined; onFile: (file: File) => void }) {
  const id = useId();
  return (
    <label
      htmlFor={id}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const dropped = event.dataTransfer.files[0];
        if (dropped) onFile(dropped);
      }}
      className="flex cursor-pointer items-center gap-3 rounded-lg border border-dashed border-line-strong px-4 py-4 focus-within:outline-2 focus-within:outline-accent hover:bg-hover"
    >
      <FileUp aria-hidden size={18} className="shrink-0 text-muted" />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{name ?? t('file')}</span>
        <span className="block text-xs text-muted">{t(name ? 'file.other' : 'file.hint')}</span>
      </span>
      <input
        id={id}
        type="file"
        accept=".csv,.tsv,.txt,text/csv"
        className="sr-only"
        onChange={(event) => {
          const chosen = event.target.files?.[0];
          if (chosen) onFile(chosen);
          event.target.value = '';
        }}
      />
    </label>
  );
}

function ReportView({ report, done, kind }: { report: Report; done: boolean; kind: Kind }) {
  const counts = ['created', 'updated', 'unchanged', 'failed'] as const;
  const passwords = Object.entries(report.passwords);
  return (
    <div role="status" className="flex flex-col gap-3">
      <p className="flex items-center gap-1.5 font-medium">
        {report.failed > 0 && !done ? (
          <CircleAlert aria-hidden size={16} className="text-danger" />
        ) : (
          <CheckCircle2 aria-hidden size={16} className="text-good" />
        )}
        {done
          ? t('done', { count: report.created + report.updated })
          : report.failed > 0
            ? t('tried.bad', { count: report.failed, rows: report.rows })
            : t('tried', { rows: report.rows })}
      </p>
      <dl className="grid grid-cols-4 overflow-hidden rounded-lg border border-line">
        {counts.map((name) => (
          <div key={name} className="border-r border-line px-3 py-2 last:border-0">
            <dt className="text-xs text-muted">{t(name)}</dt>
            <dd className="text-lg font-semibold tabular">{number(report[name])}</dd>
          </div>
        ))}
      </dl>
      {report.errors.length > 0 && <Faults errors={report.errors} kind={kind} />}
      {done && passwords.length > 0 && (
        <div className="flex items-center gap-3 rounded-lg border border-line bg-sunken px-3 py-2">
          <p className="flex-1 text-muted">{t('passwords', { count: passwords.length })}</p>
          <Button
            icon={Download}
            onClick={() => saveFile(fileName('passwords'), toCsv(['id', 'password'], passwords))}
          >
            {t('passwords.save')}
          </Button>
        </div>
      )}
    </div>
  );
}

const FAULTS_SHOWN = 200;

function Faults({ errors, kind }: { errors: Report['errors']; kind: Kind }) {
  const csv = () =>
    toCsv(
      ['line', 'column', 'value', 'problem', 'advice'],
      errors.map((each) => [each.line, each.column, each.value, each.problem, each.advice]),
    );
  return (
    <div className="rounded-lg border border-line">
      <div
        role="region"
        aria-label={t('faults')}
        tabIndex={0}
        className="max-h-64 overflow-auto focus-visible:-outline-offset-2"
      >
        <table className="w-full min-w-[520px] text-left">
          <thead className="sticky top-0 bg-raised text-xs text-muted">
            <tr className="border-b border-line">
              <th className="h-8 w-14 px-3 text-right font-medium">{t('line')}</th>
              <th className="w-36 px-3 font-medium">{t('column')}</th>
              <th className="px-3 font-medium">{t('problem')}</th>
            </tr>
          </thead>
          <tbody>
            {errors.slice(0, FAULTS_SHOWN).map((each, index) => (
              <tr key={index} className="border-b border-line align-top last:border-0">
                <td className="px-3 py-1.5 text-right tabular">{each.line}</td>
                <td className="px-3 py-1.5 font-mono text-xs leading-5">{each.column}</td>
                <td className="px-3 py-1.5">
                  {each.value && <span className="font-mono text-xs break-all">{each.value} </span>}
                  {each.problem}
                  {each.advice && <span className="block text-muted">{each.advice}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="flex items-center justify-between gap-3 border-t border-line px-3 py-1.5 text-xs text-muted">
        <span>{errors.length > FAULTS_SHOWN && t('faults.more', { count: errors.length })}</span>
        <Button small icon={Download} onClick={() => saveFile(fileName(`faults-${kind}`), csv())}>
          {tUi('csv')}
        </Button>
      </div>
    </div>
  );
}

const COLUMNS: Record<Kind, string> = {
  sites:
    'name, address, city, country, latitude, longitude, time_zone, access_notes, opening_hours, grid_limit_l1_a, grid_limit_l2_a, grid_limit_l3_a, grid_limit_kw, grid_voltage_v, grid_metering_point, tags',
  tokens: 'uid, kind, status, group_id, valid_until, holder',
  stations: 'id, name, site, admission, security_profile, tags, password',
};

function Columns({ kind }: { kind: Kind }) {
  return (
    <div className="text-muted">
      <p>{t('columns')}</p>
      <p className="mt-1 font-mono text-xs break-words">{COLUMNS[kind]}</p>
    </div>
  );
}
