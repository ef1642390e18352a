// An OCPP call as it is, to one station: the form is made from the schema of its version.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Braces } from 'lucide-react';
import { api, data, Problem, type Schemas } from '@/api/client';
import { blank, missing, opened, type Content } from '@/commands/schema';
import { useStation } from '@/live/hooks';
import { Button } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, Select } from '@/ui/fields';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { Parameters } from './parameters';
import { actionQuery, actionsQuery } from './schemas';
import { t } from './text';

type Answer = Schemas['CallResult'];

export function RawCall({ chosen }: { chosen: ReadonlySet<string> }) {
  const [only] = chosen;
  if (only === undefined || chosen.size > 1)
    return (
      <EmptyState icon={Braces} title={t('raw.one')}>
        {t('raw.one.hint')}
      </EmptyState>
    );
  return <ForStation key={only} id={only} />;
}

function ForStation({ id }: { id: string }) {
  const station = useStation(id);
  const [action, setAction] = useState('');
  const version = station?.ocpp_version ?? '';
  const actions = useQuery({ ...actionsQuery(version), enabled: version !== '' });
  if (!version)
    return (
      <EmptyState
        icon={Braces}
        title={t('raw.never', { station: [station?.name, id].find(Boolean) ?? id })}
      />
    );
  if (actions.isError)
    return <ErrorState error={actions.error} onRetry={() => void actions.refetch()} />;
  if (!actions.data) return <LoadingRows />;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="px-4 pt-3 last:pb-3">
        <Field label={t('raw.action')} hint={t('raw.note', { version })}>
          <Select value={action} onChange={(event) => setAction(event.target.value)}>
            <option value="">{t('command.choose')}</option>
            {actions.data.items.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        </Field>
        {station?.connected === false && (
          <p className="mt-2 text-warning">{t('raw.offline', { station: station.name || id })}</p>
        )}
      </div>
      {action && <Call key={`${version} ${action}`} id={id} version={version} action={action} />}
    </div>
  );
}

function Call({ id, version, action }: { id: string; version: string; action: string }) {
  const schema = useQuery(actionQuery(version, action));
  const [given, setGiven] = useState<Content | null>(null);
  const [wrong, setWrong] = useState(false);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer | Problem | null>(null);
  if (schema.isError)
    return <ErrorState error={schema.error} onRetry={() => void schema.refetch()} />;
  if (!schema.data) return <LoadingRows />;
  const { root, names } = opened(schema.data);
  const value = given ?? (blank(root, names) as Content);
  const lacking = missing(value, root, names);
  const send = async () => {
    setBusy(true);
    setAsked(false);
    setAnswer(null);
    try {
      setAnswer(
        await data(
          api.POST('/api/v1/stations/{station_id}/call/{action}', {
            params: { path: { station_id: id, action } },
            body: value,
          }),
        ),
      );
    } catch (fault) {
      setAnswer(fault instanceof Problem ? fault : new Problem(0, 'error', String(fault), '', []));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-3">
        <Parameters
          schema={root}
          names={names}
          value={value}
          onValue={setGiven}
          onWrong={setWrong}
        />
        {busy && <p className="mt-4 text-muted">{t('raw.waiting', { station: id })}</p>}
        <div role="status">{answer && <Told answer={answer} />}</div>
      </div>
      <div className="flex items-center justify-end gap-3 border-t border-line px-4 py-3">
        <p className="min-w-0 flex-1 text-xs text-muted">
          {lacking.length > 0 && t('missing', { fields: lacking.join(', ') })}
        </p>
        <Button
          look="primary"
          busy={busy}
          disabled={busy || wrong || lacking.length > 0}
          onClick={() => setAsked(true)}
        >
          {t('give.raw', { action })}
        </Button>
      </div>
      <ConfirmDialog
        open={asked}
        onOpenChange={setAsked}
        title={t('give.raw', { action })}
        action={t('give.raw', { action })}
        consequence={
          <>
            <p>{t('q.raw')}</p>
            <pre className="mt-2 max-h-60 overflow-auto rounded-md bg-sunken p-2 font-mono text-xs text-text">
              {JSON.stringify(value, null, 2)}
            </pre>
          </>
        }
        onConfirm={() => void send()}
      />
    </>
  );
}

function Told({ answer }: { answer: Answer | Problem }) {
  if (answer instanceof Problem) return <p className="mt-4 text-danger">{answer.message}</p>;
  return (
    <section className="mt-4">
      <h2 className="mb-1 font-semibold">
        {answer.outcome === 'error' ? t('raw.error', { code: answer.code ?? '' }) : t('raw.answer')}
      </h2>
      <pre className="overflow-auto rounded-md bg-sunken p-3 font-mono text-xs">
        {answer.outcome === 'error'
          ? (answer.description ?? '')
          : JSON.stringify(answer.payload, null, 2)}
      </pre>
    </section>
  );
}
