// How a command goes out to many: all at once, or in waves, at certain hours, with a stop rule.
import { Checkbox, Field, Input, Select } from '@/ui/fields';
import { t } from './text';

export interface Terms {
  expires: string;
  concurrency: string;
  stop: string;
  delay: string;
  waves: string;
  wait: string;
  success: string;
  from: string;
  to: string;
  idle: boolean;
  note: string;
}

export const USUAL: Terms = {
  expires: '86400',
  concurrency: '50',
  stop: '',
  delay: '',
  waves: '',
  wait: '0',
  success: '95',
  from: '',
  to: '',
  idle: false,
  note: '',
};

/** Read percentages with commas between; null when they are none. */
export function percents(text: string): number[] | null {
  const parts = text.split(/[,;\s]+/).filter(Boolean);
  const values = parts.map(Number);
  return values.every((value) => value > 0 && value < 100) ? values : null;
}

/** Put the terms as the API takes them; what is left open is left out. */
export function termsBody(terms: Terms): Record<string, unknown> {
  const body: Record<string, unknown> = {
    expires_in_s: Number(terms.expires),
    concurrency: Number(terms.concurrency) || 50,
    note: terms.note.trim(),
  };
  if (terms.stop) body['stop_when_failed_percent'] = Number(terms.stop);
  if (terms.delay) body['random_delay_s'] = Number(terms.delay);
  if (terms.idle) body['only_idle'] = true;
  if (terms.from && terms.to) body['window'] = { from: terms.from, to: terms.to };
  const parts = percents(terms.waves);
  if (parts && parts.length > 0) {
    const success = Number(terms.success) || 95;
    const wait = Math.round(Number(terms.wait) * 3600) || 0;
    body['waves'] = [
      ...parts.map((percent) => ({ percent, success_percent: success, wait_s: wait })),
      { success_percent: success },
    ];
  }
  return body;
}

export function TermsForm({
  terms,
  onTerms,
  open,
}: {
  terms: Terms;
  onTerms: (terms: Terms) => void;
  open: boolean;
}) {
  const text = (name: Exclude<keyof Terms, 'idle'>) => ({
    value: terms[name],
    onChange: (event: { target: { value: string } }) =>
      onTerms({ ...terms, [name]: event.target.value }),
  });
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t('expires')}>
          <Select {...text('expires')}>
            <option value="3600">{t('expires.hour')}</option>
            <option value="86400">{t('expires.day')}</option>
            <option value="604800">{t('expires.week')}</option>
            <option value="2592000">{t('expires.month')}</option>
          </Select>
        </Field>
        <Field label={t('note')} hint={t('note.hint')}>
          <Input {...text('note')} maxLength={200} />
        </Field>
      </div>
      <details className="mt-3" open={open}>
        <summary className="min-h-6 cursor-pointer text-accent">{t('terms.more')}</summary>
        <div className="mt-2 grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
          <Field
            label={t('waves')}
            hint={t('waves.hint')}
            error={percents(terms.waves) ? undefined : t('waves.wrong')}
          >
            <Input {...text('waves')} placeholder="1, 10" autoComplete="off" />
          </Field>
          <Field label={t('wait')}>
            <Input type="number" min={0} max={2160} step="any" {...text('wait')} />
          </Field>
          <Field label={t('success')}>
            <Input type="number" min={1} max={100} {...text('success')} />
          </Field>
          <Field label={t('from')} hint={t('window.hint')}>
            <Input type="time" {...text('from')} />
          </Field>
          <Field label={t('to')}>
            <Input type="time" {...text('to')} />
          </Field>
          <Field label={t('stop')}>
            <Input type="number" min={1} max={100} {...text('stop')} />
          </Field>
          <Field label={t('concurrency')}>
            <Input type="number" min={1} max={10_000} {...text('concurrency')} />
          </Field>
          <Field label={t('delay')}>
            <Input type="number" min={0} max={86_400} {...text('delay')} />
          </Field>
          <Checkbox
            label={t('idle')}
            checked={terms.idle}
            onChange={(event) => onTerms({ ...terms, idle: event.target.checked })}
            className="self-center"
          />
        </div>
      </details>
    </>
  );
}
