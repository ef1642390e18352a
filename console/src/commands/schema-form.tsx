// A form made from a JSON schema: for commands, and for OCPP calls of any version.
import { Plus, Trash2 } from 'lucide-react';
import { useId, useState } from 'react';
import { Button, IconButton } from '@/ui/button';
import { Field, Input, Select, TextArea } from '@/ui/fields';
import { ImageField } from './image-field';
import { t } from './text';
import { label } from './names';
import { blank, fieldsOf, plain, type Content, type Names, type Schema } from './schema';

interface FormProps {
  schema: Schema;
  names: Names;
  value: Content;
  onValue: (value: Content) => void;
}

/** The fields of an object; what must be given comes first. */
export function SchemaForm({ schema, names, value, onValue }: FormProps) {
  const real = plain(schema, names);
  const required = new Set(real.required);
  const put = (name: string, next: unknown) => {
    const others = Object.entries(value).filter(([each]) => each !== name);
    onValue(Object.fromEntries(next === undefined ? others : [...others, [name, next]]));
  };
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {inOrder(fieldsOf(real)).map(([name, field]) => (
        <AnyField
          key={name}
          name={name}
          schema={field}
          names={names}
          isRequired={required.has(name)}
          value={value[name]}
          onValue={(next) => put(name, next)}
        />
      ))}
    </div>
  );
}

/** Firmware is what an update is about: it comes before all terms. */
function inOrder(fields: [string, Schema][]): [string, Schema][] {
  return [...fields].sort(([a], [b]) => Number(b === 'image_id') - Number(a === 'image_id'));
}

interface AnyProps {
  name: string;
  schema: Schema;
  names: Names;
  isRequired: boolean;
  value: unknown;
  onValue: (value: unknown) => void;
}

function AnyField(props: AnyProps) {
  const real = plain(props.schema, props.names);
  if (props.name === 'image_id')
    return <ImageField title={title(props)} value={props.value} onValue={props.onValue} />;
  if (real.type === 'object') return <ObjectField {...props} />;
  if (real.type === 'array') {
    const inner = real.items ? plain(real.items, props.names) : {};
    if (inner.type === 'object') return <RowsField {...props} />;
    return <LinesField {...props} />;
  }
  return <SingleField {...props} />;
}

function title({ name, isRequired }: AnyProps): string {
  return isRequired ? label(name) : t('form.optional', { field: label(name) });
}

function limits(schema: Schema): string | undefined {
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum;
  // Limits of the number format say nothing to people.
  if (low !== undefined && Math.abs(low) < 1e9 && high !== undefined && high < 1e9)
    return t('form.between', { low, high });
  return schema.description;
}

/** The moment as a field of the browser writes it, in the reader's own time. */
function localMoment(value: unknown): string {
  if (typeof value !== 'string' || !value) return '';
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** A choice as the value of an option. */
function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

function SingleField(props: AnyProps) {
  const { isRequired, value, onValue } = props;
  const schema = plain(props.schema, props.names);
  const standard = schema.default as string | number | boolean | null | undefined;
  const none =
    standard == null
      ? isRequired
        ? t('form.choose')
        : t('form.none')
      : t('form.default', { value: `${standard}` });
  if (schema.enum || schema.type === 'boolean') {
    const choices = schema.enum ?? [true, false];
    return (
      <Field label={title(props)} hint={schema.description}>
        <Select
          value={shown(value)}
          onChange={(event) =>
            onValue(choices.find((choice) => String(choice) === event.target.value))
          }
          required={isRequired}
        >
          <option value="">{none}</option>
          {choices.map((choice) => (
            <option key={String(choice)} value={String(choice)}>
              {typeof choice === 'boolean' ? t(choice ? 'form.yes' : 'form.no') : choice}
            </option>
          ))}
        </Select>
      </Field>
    );
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    return (
      <Field label={title(props)} hint={limits(schema)}>
        <Input
          type="number"
          inputMode="decimal"
          step={schema.type === 'integer' ? 1 : 'any'}
          value={typeof value === 'number' ? value : ''}
          onChange={(event) =>
            onValue(event.target.value === '' ? undefined : Number(event.target.value))
          }
          placeholder={standard == null ? undefined : String(standard)}
          required={isRequired}
        />
      </Field>
    );
  }
  if (schema.format === 'date-time') {
    return (
      <Field label={title(props)}>
        <Input
          type="datetime-local"
          value={localMoment(value)}
          onChange={(event) =>
            onValue(
              event.target.value === '' ? undefined : new Date(event.target.value).toISOString(),
            )
          }
          required={isRequired}
        />
      </Field>
    );
  }
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  const change = (next: string) =>
    onValue(next === '' && !isRequired ? undefined : next || undefined);
  const long = (schema.maxLength ?? 0) > 2000 && schema.format !== 'uri';
  return (
    <div className={long ? 'sm:col-span-2' : undefined}>
      <Field label={title(props)} hint={schema.description}>
        {long ? (
          <TextArea
            value={text}
            onChange={(event) => change(event.target.value)}
            spellCheck={false}
            required={isRequired}
          />
        ) : (
          <Input
            value={text}
            onChange={(event) => change(event.target.value)}
            maxLength={schema.maxLength}
            autoComplete="off"
            spellCheck={false}
            required={isRequired}
          />
        )}
      </Field>
    </div>
  );
}

/** Texts or numbers, one in a line. */
function LinesField(props: AnyProps) {
  const schema = plain(props.schema, props.names);
  const inner = schema.items ? plain(schema.items, props.names) : {};
  const isNumber = inner.type === 'integer' || inner.type === 'number';
  const given = Array.isArray(props.value) ? props.value.map(String).join('\n') : '';
  const [text, setText] = useState(given);
  return (
    <Field
      label={title(props)}
      hint={inner.enum ? t('form.lines.of', { choices: inner.enum.join(', ') }) : t('form.lines')}
    >
      <TextArea
        value={text}
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value);
          const lines = event.target.value
            .split('\n')
            .map((line) => line.trim())
            .filter(Boolean);
          const values = isNumber ? lines.map(Number) : lines;
          props.onValue(values.length > 0 || props.isRequired ? values : undefined);
        }}
      />
    </Field>
  );
}

function ObjectField(props: AnyProps) {
  const { names, isRequired, value, onValue } = props;
  const schema = plain(props.schema, names);
  const heading = useId();
  if (!schema.properties || fieldsOf(schema).length === 0) return <JsonField {...props} />;
  return (
    <section
      aria-labelledby={heading}
      className="flex flex-col gap-3 rounded-lg border border-line p-3 sm:col-span-2"
    >
      <div className="flex min-h-7 items-center gap-2">
        <h3 id={heading} className="flex-1 text-xs font-medium text-muted">
          {title(props)}
        </h3>
        {value === undefined ? (
          <Button small icon={Plus} onClick={() => onValue(blank(schema, names))}>
            {t('form.add', { field: label(props.name) })}
          </Button>
        ) : (
          !isRequired && (
            <IconButton
              icon={Trash2}
              label={t('form.remove', { field: label(props.name) })}
              onClick={() => onValue(undefined)}
            />
          )
        )}
      </div>
      {value !== undefined && (
        <SchemaForm
          schema={schema}
          names={names}
          value={value as Content}
          onValue={(next) => onValue(next)}
        />
      )}
    </section>
  );
}

/** Objects one below the other. */
function RowsField(props: AnyProps) {
  const { names, isRequired, onValue } = props;
  const schema = plain(props.schema, names);
  const heading = useId();
  const rows = Array.isArray(props.value) ? (props.value as Content[]) : [];
  const inner = schema.items ?? {};
  const put = (next: Content[]) => onValue(next.length > 0 || isRequired ? next : undefined);
  return (
    <section
      aria-labelledby={heading}
      className="flex flex-col gap-2 rounded-lg border border-line p-3 sm:col-span-2"
    >
      <h3 id={heading} className="text-xs font-medium text-muted">
        {title(props)}
      </h3>
      {rows.map((row, index) => (
        <div key={index} className="flex items-start gap-2 border-b border-line pb-3 last:border-0">
          <span className="w-5 pt-6 text-right text-xs text-muted tabular">{index + 1}</span>
          <div className="min-w-0 flex-1">
            <SchemaForm
              schema={inner}
              names={names}
              value={row}
              onValue={(next) => put(rows.map((each, place) => (place === index ? next : each)))}
            />
          </div>
          <IconButton
            icon={Trash2}
            label={t('form.remove', { field: `${label(props.name)} ${index + 1}` })}
            className="mt-5"
            onClick={() => put(rows.filter((_, place) => place !== index))}
          />
        </div>
      ))}
      <Button
        small
        icon={Plus}
        className="self-start"
        onClick={() => put([...rows, (blank(inner, names) ?? {}) as Content])}
      >
        {t('form.add', { field: label(props.name) })}
      </Button>
    </section>
  );
}

/** An object of which the schema says nothing: as JSON. */
function JsonField(props: AnyProps) {
  const [text, setText] = useState(() =>
    props.value === undefined ? '' : JSON.stringify(props.value, null, 2),
  );
  const [wrong, setWrong] = useState(false);
  return (
    <div className="sm:col-span-2">
      <Field label={title(props)} error={wrong ? t('form.json.wrong') : undefined} hint="JSON">
        <TextArea
          className="font-mono"
          value={text}
          spellCheck={false}
          onChange={(event) => {
            setText(event.target.value);
            try {
              props.onValue(event.target.value.trim() ? JSON.parse(event.target.value) : undefined);
              setWrong(false);
            } catch {
              setWrong(true);
            }
          }}
        />
      </Field>
    </div>
  );
}
