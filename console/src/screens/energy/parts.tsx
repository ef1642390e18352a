// Fields of the editor of circuits: numbers, limits per phase, hours of the week.
import { Plus, Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { Schemas } from '@/api/client';
import { locale } from '@/i18n';
import { Button, IconButton } from '@/ui/button';
import { Field, Input } from '@/ui/fields';
import { readAmount, readPerPhase, writeAmount, writePerPhase, type PerPhase } from './amounts';
import type { TreeProblem } from './questions';
import { t } from './text';

/** What is wrong at a place, by the codes that belong to a field. */
export function said(problems: TreeProblem[], ...codes: string[]): ReactNode {
  const found = problems.filter((problem) => codes.includes(problem.code));
  return found.length === 0 ? undefined : found.map((problem) => problem.message).join(' ');
}

function Typed<Value>({
  label,
  hint,
  error,
  value,
  read,
  write,
  empty,
  onValue,
}: {
  label: string;
  hint?: ReactNode;
  error?: ReactNode;
  value: Value | null | undefined;
  read: (text: string) => Value | null | undefined;
  write: (value: Value | null | undefined) => string;
  /** What an empty field means, where it is not "none". */
  empty?: Value;
  onValue: (value: Value | null) => void;
}) {
  const [text, setText] = useState(() => write(value));
  const isWrong = read(text) === undefined;
  return (
    <Field label={label} hint={hint} error={isWrong ? t('edit.number') : error}>
      <Input
        inputMode="decimal"
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          const next = read(event.target.value);
          if (next !== undefined) onValue(next ?? empty ?? null);
        }}
      />
    </Field>
  );
}

type AmountProps = Omit<Parameters<typeof Typed<number>>[0], 'read' | 'write'> & {
  /** The value is kept in a unit this many times smaller: 1000 for kW. */
  times?: number;
};

export function Amount({ times = 1, value, onValue, ...rest }: AmountProps) {
  return (
    <Typed<number>
      {...rest}
      value={value == null ? null : value / times}
      read={readAmount}
      write={writeAmount}
      onValue={(next) => onValue(next === null ? null : next * times)}
    />
  );
}

export function Phases(props: Omit<Parameters<typeof Typed<PerPhase>>[0], 'read' | 'write'>) {
  return <Typed<PerPhase> {...props} read={readPerPhase} write={writePerPhase} />;
}

export function Words({
  label,
  hint,
  error,
  value,
  onValue,
}: {
  label: string;
  hint?: ReactNode;
  error?: ReactNode;
  value: string;
  onValue: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint} error={error}>
      <Input autoComplete="off" value={value} onChange={(event) => onValue(event.target.value)} />
    </Field>
  );
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Day = (typeof DAYS)[number];
const dayNames = new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' });
/** 1 January 2024 was a Monday. */
const dayName = (index: number) => dayNames.format(Date.UTC(2024, 0, 1 + index));

export interface HoursPart {
  days?: Day[] | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

/** Hours of the week with something that holds in them. */
export function Hours<Part extends HoursPart>({
  label,
  add,
  parts,
  fresh,
  onParts,
  children,
}: {
  label: string;
  add: string;
  parts: Part[];
  fresh: Part;
  onParts: (parts: Part[]) => void;
  children: (part: Part, change: (fields: Partial<Part>) => void) => ReactNode;
}) {
  const change = (index: number, fields: Partial<Part>) =>
    onParts(parts.map((part, at) => (at === index ? { ...part, ...fields } : part)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 text-xs font-medium text-muted">{label}</legend>
      {parts.map((part, index) => (
        <div
          key={index}
          className="flex flex-wrap items-end gap-3 rounded-md border border-line px-3 py-2"
        >
          <DayChoice
            days={part.days ?? [...DAYS]}
            onDays={(days) => change(index, { days } as Partial<Part>)}
          />
          <div className="w-24">
            <Words
              label={t('edit.since')}
              value={part.since ?? '00:00'}
              onValue={(since) => change(index, { since } as Partial<Part>)}
            />
          </div>
          <div className="w-24">
            <Words
              label={t('edit.until')}
              value={part.until ?? '24:00'}
              onValue={(until) => change(index, { until } as Partial<Part>)}
            />
          </div>
          {children(part, (fields) => change(index, fields))}
          <IconButton
            icon={Trash2}
            label={t('edit.remove.hours', { number: index + 1 })}
            onClick={() => onParts(parts.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <div>
        <Button small icon={Plus} onClick={() => onParts([...parts, fresh])}>
          {add}
        </Button>
      </div>
    </fieldset>
  );
}

function DayChoice({ days, onDays }: { days: Day[]; onDays: (days: Day[]) => void }) {
  return (
    <div role="group" aria-label={t('edit.days')} className="flex gap-0.5">
      {DAYS.map((day, index) => {
        const isIn = days.includes(day);
        return (
          <button
            key={day}
            type="button"
            aria-pressed={isIn}
            onClick={() =>
              onDays(DAYS.filter((each) => (each === day ? !isIn : days.includes(each))))
            }
            className={`h-8 min-w-8 rounded border px-1 text-xs ${isIn ? 'border-accent bg-accent-soft font-medium text-accent-strong' : 'border-line text-muted'}`}
          >
            {dayName(index)}
          </button>
        );
      })}
    </div>
  );
}

export type NodeGiven = Schemas['NodeGiven'];
export type EvseGiven = Schemas['EvseGiven'];
