import { useState } from 'react';
import type { Schemas } from '@/api/client';
import { saveSite } from '@/screens/sites/site-form';
import { t } from '@/screens/sites/text';
import { Field, Input } from '@/ui/fields';
import { FormDialog } from '@/ui/form';

type Site = Schemas['Site'];
const NUMBERS = ['limit_kw', 'voltage_v', 'limit_l1_a', 'limit_l2_a', 'limit_l3_a'] as const;

/** What the grid operator lets the site draw. */
export function GridForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const given = site.grid_connection;
  const [filled, setFilled] = useState(
    () =>
      Object.fromEntries(NUMBERS.map((name) => [name, given?.[name]?.toString() ?? ''])) as Record<
        (typeof NUMBERS)[number],
        string
      >,
  );
  const [point, setPoint] = useState(given?.metering_point ?? '');
  const read = (text: string) =>
    text.trim() === '' ? null : Number(text.trim().replace(',', '.'));
  const submit = async () => {
    const numbers = Object.fromEntries(NUMBERS.map((name) => [name, read(filled[name])]));
    const isEmpty = !point.trim() && NUMBERS.every((name) => numbers[name] === null);
    await saveSite(site, {
      name: site.name,
      grid_connection: isEmpty ? null : { ...numbers, metering_point: point.trim() },
    });
    onClose();
  };
  const numberField = (name: (typeof NUMBERS)[number], error: string | undefined) => (
    <Field key={name} label={t(`grid.${name}`)} error={error}>
      <Input
        inputMode="decimal"
        value={filled[name]}
        onChange={(event) => setFilled((before) => ({ ...before, [name]: event.target.value }))}
      />
    </Field>
  );
  return (
    <FormDialog
      title={t('grid.edit')}
      description={t('grid.hint')}
      action={t('save')}
      disabled={NUMBERS.some((name) => Number.isNaN(read(filled[name])))}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <div className="grid grid-cols-2 gap-3">
          {NUMBERS.slice(0, 2).map((name) => numberField(name, errorOf(name)))}
          <div className="col-span-2 grid grid-cols-3 gap-3">
            {NUMBERS.slice(2).map((name) => numberField(name, errorOf(name)))}
          </div>
          <div className="col-span-2">
            <Field label={t('grid.metering_point')} error={errorOf('metering_point')}>
              <Input value={point} onChange={(event) => setPoint(event.target.value)} />
            </Field>
          </div>
        </div>
      )}
    </FormDialog>
  );
}
