// Asks for a charging profile, shows its steps while they are typed, and sends it.
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { giveCommand } from '@/commands/give';
import type { LiveStation } from '@/live/types';
import { Button, IconButton } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Field, Input, Select } from '@/ui/fields';
import { LazyPlot } from '@/ui/lazy-plot';
import { t } from './charging-text';
import { DAY_S, stepsOf } from './profiles';

const PURPOSES = ['default', 'session', 'station'] as const;
const KINDS = ['absolute', 'daily'] as const;

/** A profile of ours has a number above those of limits, so that it does not replace one of these by chance. */
const FIRST_NUMBER = 1_000_000;

interface Row {
  /** Minutes after the start. */
  after: string;
  limit: string;
}

function readRows(rows: Row[], unit: 'a' | 'w') {
  const periods = rows.map((row) => ({
    start_s: Math.round(Number(row.after.replace(',', '.')) * 60),
    limit: Number(row.limit.replace(',', '.')) * (unit === 'w' ? 1000 : 1),
    typed: row.limit.trim() !== '' && row.after.trim() !== '',
  }));
  const isGood =
    periods.every(
      (each) =>
        each.typed &&
        Number.isFinite(each.start_s) &&
        Number.isFinite(each.limit) &&
        each.limit >= 0,
    ) &&
    periods[0]?.start_s === 0 &&
    periods.every((each, at) => at === 0 || each.start_s > (periods[at - 1]?.start_s ?? 0));
  return isGood ? periods.map(({ start_s, limit }) => ({ start_s, limit })) : null;
}

export function ProfileDialog({
  station,
  onClose,
  onDone,
}: {
  station: LiveStation;
  onClose: () => void;
  onDone: () => void;
}) {
  const [purpose, setPurpose] = useState<(typeof PURPOSES)[number]>('default');
  const [kind, setKind] = useState<(typeof KINDS)[number]>('absolute');
  const [evse, setEvse] = useState(station.evses[0]?.id ?? 1);
  const [unit, setUnit] = useState<'a' | 'w'>('a');
  const [level, setLevel] = useState(1);
  const [rows, setRows] = useState<Row[]>([{ after: '0', limit: '16' }]);
  const [opened] = useState(() => Date.now());
  const periods = readRows(rows, unit);
  const change = (at: number, fields: Partial<Row>) =>
    setRows(rows.map((row, index) => (index === at ? { ...row, ...fields } : row)));
  const send = () => {
    if (!periods) return;
    const midnight = new Date(opened);
    midnight.setHours(0, 0, 0, 0);
    onClose();
    void giveCommand(
      t('set'),
      {
        command: 'set_charging_profile',
        evse_id: purpose === 'station' ? 0 : evse,
        profile: {
          id: FIRST_NUMBER + Math.floor(Math.random() * FIRST_NUMBER),
          purpose,
          unit,
          stack_level: level,
          kind,
          ...(kind === 'daily' ? { start_at: midnight.toISOString(), duration_s: DAY_S } : {}),
          periods,
        },
      },
      [station.id],
    ).then((isDone) => {
      if (isDone) onDone();
    });
  };
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={t('set.title')}
      description={t('set.hint')}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button look="primary" disabled={!periods} onClick={send}>
            {t('set')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
          <Field label={t('set.purpose')}>
            <Select
              value={purpose}
              onChange={(event) => setPurpose(event.target.value as (typeof PURPOSES)[number])}
            >
              {PURPOSES.map((each) => (
                <option key={each} value={each}>
                  {t(`purpose.${each}`)}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t('set.evse')}>
            <Select
              value={purpose === 'station' ? 0 : evse}
              disabled={purpose === 'station'}
              onChange={(event) => setEvse(Number(event.target.value))}
            >
              {purpose === 'station' && <option value={0}>{t('whole')}</option>}
              {station.evses.map((each) => (
                <option key={each.id} value={each.id}>
                  {t('evse', { number: each.id })}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t('set.kind')}>
            <Select
              value={kind}
              onChange={(event) => setKind(event.target.value as (typeof KINDS)[number])}
            >
              {KINDS.map((each) => (
                <option key={each} value={each}>
                  {t(`kind.${each}`)}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t('set.unit')}>
            <Select value={unit} onChange={(event) => setUnit(event.target.value as 'a' | 'w')}>
              <option value="a">{t('unit.a')}</option>
              <option value="w">kW</option>
            </Select>
          </Field>
          <Field label={t('set.level')} hint={t('set.level.hint')}>
            <Input
              type="number"
              min={0}
              max={1000}
              value={level}
              onChange={(event) => setLevel(Math.max(0, Math.trunc(Number(event.target.value))))}
            />
          </Field>
        </div>
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1 text-xs font-medium text-muted">{t('set.steps')}</legend>
          {rows.map((row, index) => (
            <div key={index} className="flex items-end gap-3">
              <div className="w-40">
                <Field label={t(kind === 'daily' ? 'set.after.daily' : 'set.after')}>
                  <Input
                    inputMode="numeric"
                    value={row.after}
                    disabled={index === 0}
                    onChange={(event) => change(index, { after: event.target.value })}
                  />
                </Field>
              </div>
              <div className="w-32">
                <Field label={t('set.limit', { unit: unit === 'a' ? 'A' : 'kW' })}>
                  <Input
                    inputMode="decimal"
                    value={row.limit}
                    onChange={(event) => change(index, { limit: event.target.value })}
                  />
                </Field>
              </div>
              {index > 0 && (
                <IconButton
                  icon={Trash2}
                  label={t('set.remove', { number: index + 1 })}
                  onClick={() => setRows(rows.filter((_, at) => at !== index))}
                />
              )}
            </div>
          ))}
          <div>
            <Button
              small
              icon={Plus}
              onClick={() =>
                setRows([
                  ...rows,
                  { after: String(rows.length * 60), limit: rows.at(-1)?.limit ?? '' },
                ])
              }
            >
              {t('set.add')}
            </Button>
          </div>
        </fieldset>
        {periods ? (
          <LazyPlot
            label={t('set.picture')}
            unit={unit === 'a' ? 'A' : 'kW'}
            series={[{ label: t('plot.limit'), colour: '--plot-limit', stepped: true }]}
            data={stepsOf(
              {
                unit,
                periods,
                start_at:
                  kind === 'daily'
                    ? new Date(new Date(opened).setHours(0, 0, 0, 0)).toISOString()
                    : null,
              },
              opened / 1000,
            )}
            height={140}
            name="charging-profile"
          />
        ) : (
          <p role="alert" className="text-danger">
            {t('set.bad')}
          </p>
        )}
      </div>
    </Dialog>
  );
}
