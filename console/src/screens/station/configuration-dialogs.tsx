// A setting is changed, or its past is looked at.
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, data, Problem } from '@/api/client';
import { absolute } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Checkbox, Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { answerTo } from './ask';
import type { Variable } from './configuration';
import { t } from './configuration-text';

interface Written {
  outcome?: string;
  actual?: string | null;
}

export function ChangeSetting({
  stationId,
  variable,
  onClose,
}: {
  stationId: string;
  variable: Variable;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const [value, setValue] = useState(variable.value ?? '');
  const [restart, setRestart] = useState(false);
  const submit = async () => {
    const given = await data(
      api.PATCH('/api/v1/stations/{station_id}/variables', {
        params: { path: { station_id: stationId } },
        body: {
          settings: [{ name: variable.name, attribute: variable.attribute, value }],
          reset: restart ? 'on_idle' : 'never',
          when_offline: 'queue',
          expires_in_s: 86_400,
          note: '',
        },
      }),
    );
    // The dialog does not wait for the station: what becomes of it is told when it has answered.
    void tell(given.task_id, variable.name).finally(
      () => void queries.invalidateQueries({ queryKey: ['station', stationId] }),
    );
    onClose();
  };
  return (
    <FormDialog
      title={t('change')}
      description={
        <>
          <span className="block break-all">{variable.name}</span>
          <span className="block text-xs">
            {t('was')} <span className="font-mono">{variable.value ?? '–'}</span>
            {variable.unit && ` ${variable.unit}`}
          </span>
        </>
      }
      action={t('change.at', { station: stationId })}
      disabled={value === (variable.value ?? '')}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <>
          <Field label={t('value.new')} hint={hint(variable)} error={errorOf('value')}>
            <ValueField variable={variable} value={value} onValue={setValue} />
          </Field>
          <Checkbox
            label={t('restart')}
            checked={restart}
            onChange={(event) => setRestart(event.target.checked)}
          />
          <p className="text-xs text-muted">{t('change.consequence')}</p>
        </>
      )}
    </FormDialog>
  );
}

function hint(variable: Variable): string | undefined {
  const { min_limit: low, max_limit: high } = variable;
  if (low !== null && high !== null) return t('between', { low, high });
  if (variable.data_type === 'member_list' && variable.values)
    return t('list.of', { values: variable.values.join(', ') });
  return variable.unit ?? undefined;
}

function ValueField({
  variable,
  value,
  onValue,
  ...rest
}: {
  variable: Variable;
  value: string;
  onValue: (value: string) => void;
  id?: string;
}) {
  const isBoolean = variable.data_type === 'boolean' || /^(true|false)$/i.test(value);
  const isList =
    (variable.data_type ?? '').includes('list') && variable.data_type !== 'option_list';
  const choices = isList ? null : (variable.values ?? (isBoolean ? ['true', 'false'] : null));
  if (choices)
    return (
      <Select {...rest} value={value} onChange={(event) => onValue(event.target.value)}>
        {!choices.includes(value) && <option value={value}>{value}</option>}
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </Select>
    );
  const isNumber = variable.data_type === 'integer' || variable.data_type === 'decimal';
  return (
    <Input
      {...rest}
      className="font-mono"
      inputMode={isNumber ? 'decimal' : 'text'}
      value={value}
      onChange={(event) => onValue(event.target.value)}
      autoComplete="off"
      spellCheck={false}
    />
  );
}

/** Say in a notice what the station made of a new value. */
async function tell(taskId: string, name: string): Promise<void> {
  const put = toast('info', t('sent'), name);
  try {
    const result = await answerTo(taskId);
    const first = (result['settings'] as Written[] | undefined)?.[0];
    if (first?.outcome === 'reboot_required') put('info', t('outcome.reboot'), name);
    else if (first?.outcome === 'accepted')
      put('good', t('outcome.accepted'), `${name} = ${first.actual ?? ''}`);
    else put('bad', t('outcome.other', { outcome: first?.outcome ?? '' }), name);
  } catch (fault) {
    if (fault instanceof Problem && fault.code === 'timed_out') put('info', t('slow'), name);
    else put('bad', t('refused'), fault instanceof Error ? fault.message : String(fault));
  }
}

export function SettingHistory({
  stationId,
  variable,
  onClose,
}: {
  stationId: string;
  variable: Variable;
  onClose: () => void;
}) {
  const query = useInfiniteQuery({
    queryKey: ['station', stationId, 'history', variable.name],
    queryFn: ({ pageParam }) =>
      data(
        api.GET('/api/v1/stations/{station_id}/variables/history', {
          params: {
            path: { station_id: stationId },
            query: {
              name: variable.name,
              limit: 50,
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  });
  const values = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={t('history')}
      description={<span className="break-all">{variable.name}</span>}
    >
      {query.isError ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      ) : query.isPending ? (
        <LoadingRows rows={4} />
      ) : (
        <ol className="pb-3">
          {values.map((each) => (
            <li
              key={`${each.at} ${each.attribute}`}
              className="flex flex-wrap items-baseline gap-x-4 border-b border-line py-2 last:border-0"
            >
              <span className="w-52 text-xs text-muted tabular">{absolute(each.at)}</span>
              <span className="min-w-0 flex-1 font-mono text-xs break-all">
                {each.value ?? t('secret')}
              </span>
              <span className="text-xs text-muted">
                {t(`source.${each.source}`)}
                {each.changed_by && `, ${each.changed_by}`}
              </span>
            </li>
          ))}
          {values.length === 0 && <li className="py-6 text-center text-muted">{t('no.past')}</li>}
          {query.hasNextPage && (
            <li className="pt-2">
              <Button small busy={query.isFetching} onClick={() => void query.fetchNextPage()}>
                {t('earlier')}
              </Button>
            </li>
          )}
        </ol>
      )}
    </Dialog>
  );
}
