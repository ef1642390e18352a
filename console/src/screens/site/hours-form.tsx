import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '@/api/client';
import { saveSite } from '@/screens/sites/site-form';
import { t } from '@/screens/sites/text';
import { Button, IconButton } from '@/ui/button';
import { Checkbox, Field, Input } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { DAYS, readSpans, writeSpans, type Day } from './hours';

type Site = Schemas['Site'];

interface Exception {
  date: string;
  hours: string;
  note: string;
}

/** A week of opening hours, and the days that differ. */
export function HoursForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const given = site.opening_hours;
  const [always, setAlways] = useState(given?.always_open === true);
  const [week, setWeek] = useState<Record<Day, string>>(
    () =>
      Object.fromEntries(DAYS.map((day) => [day, writeSpans(given?.weekdays?.[day])])) as Record<
        Day,
        string
      >,
  );
  const [exceptions, setExceptions] = useState<Exception[]>(() =>
    (given?.exceptions ?? []).map((each) => ({
      date: each.date,
      hours: writeSpans(each.hours),
      note: each.note ?? '',
    })),
  );
  const bad =
    (!always && DAYS.some((day) => readSpans(week[day]) === null)) ||
    exceptions.some((each) => readSpans(each.hours) === null || !each.date);
  const submit = async () => {
    const weekdays = Object.fromEntries(
      DAYS.map((day) => [day, readSpans(week[day]) ?? []] as const).filter(
        ([, spans]) => spans.length > 0,
      ),
    );
    const isKnown = always || Object.keys(weekdays).length > 0 || exceptions.length > 0;
    await saveSite(site, {
      name: site.name,
      opening_hours: isKnown
        ? {
            always_open: always,
            weekdays: always ? {} : weekdays,
            exceptions: exceptions.map((each) => ({
              date: each.date,
              hours: readSpans(each.hours) ?? [],
              note: each.note.trim(),
            })),
          }
        : null,
    });
    onClose();
  };
  const change = (index: number, next: Partial<Exception>) =>
    setExceptions((all) =>
      all.map((each, place) => (place === index ? { ...each, ...next } : each)),
    );
  return (
    <FormDialog
      title={t('hours.edit')}
      description={t('hours.zone', { zone: site.time_zone })}
      action={t('save')}
      wide
      disabled={bad}
      onClose={onClose}
      onSubmit={submit}
    >
      {() => (
        <>
          <Checkbox
            label={t('hours.always')}
            checked={always}
            onChange={(event) => setAlways(event.target.checked)}
          />
          {!always && (
            <div className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
              {DAYS.map((day) => (
                <Field
                  key={day}
                  label={t(`day.${day}`)}
                  error={readSpans(week[day]) === null ? t('hours.bad') : undefined}
                >
                  <Input
                    value={week[day]}
                    placeholder={t('closed')}
                    onChange={(event) =>
                      setWeek((before) => ({ ...before, [day]: event.target.value }))
                    }
                  />
                </Field>
              ))}
              <p className="self-end pb-1 text-xs text-muted">{t('hours.hint')}</p>
            </div>
          )}
          <h3 className="pt-1 text-sm">{t('hours.exceptions')}</h3>
          {exceptions.map((each, index) => (
            <div key={index} className="flex flex-wrap items-end gap-2">
              <div className="w-36">
                <Field label={t('hours.date')}>
                  <Input
                    type="date"
                    value={each.date}
                    required
                    onChange={(event) => change(index, { date: event.target.value })}
                  />
                </Field>
              </div>
              <div className="w-44">
                <Field
                  label={t('hours')}
                  error={readSpans(each.hours) === null ? t('hours.bad') : undefined}
                >
                  <Input
                    value={each.hours}
                    placeholder={t('closed')}
                    onChange={(event) => change(index, { hours: event.target.value })}
                  />
                </Field>
              </div>
              <div className="min-w-40 flex-1">
                <Field label={t('contact.note')}>
                  <Input
                    value={each.note}
                    maxLength={200}
                    onChange={(event) => change(index, { note: event.target.value })}
                  />
                </Field>
              </div>
              <IconButton
                icon={Trash2}
                label={t('hours.remove', { date: each.date })}
                onClick={() => setExceptions((all) => all.filter((_, place) => place !== index))}
              />
            </div>
          ))}
          <Button
            icon={Plus}
            className="self-start"
            onClick={() => setExceptions((all) => [...all, { date: '', hours: '', note: '' }])}
          >
            {t('hours.add')}
          </Button>
        </>
      )}
    </FormDialog>
  );
}
