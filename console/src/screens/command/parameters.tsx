// The parameters of a command or call: as a form, or as JSON.
import { useState } from 'react';
import { SchemaForm } from '@/commands/schema-form';
import { fieldsOf, plain, type Content, type Names, type Schema } from '@/commands/schema';
import { Button } from '@/ui/button';
import { Field, TextArea } from '@/ui/fields';
import { t } from './text';

export function Parameters({
  schema,
  names,
  value,
  onValue,
  onWrong,
}: {
  schema: Schema;
  names: Names;
  value: Content;
  onValue: (value: Content) => void;
  /** Told whether what stands there can be sent at all. */
  onWrong: (wrong: boolean) => void;
}) {
  const [text, setText] = useState<string | null>(null);
  const [wrong, setWrong] = useState(false);
  if (fieldsOf(plain(schema, names)).length === 0)
    return <p className="text-muted">{t('no.parameters')}</p>;
  const read = (next: string) => {
    setText(next);
    try {
      const found: unknown = JSON.parse(next || '{}');
      const isObject = typeof found === 'object' && found !== null && !Array.isArray(found);
      setWrong(!isObject);
      onWrong(!isObject);
      if (isObject) onValue(found as Content);
    } catch {
      setWrong(true);
      onWrong(true);
    }
  };
  return (
    <>
      <div role="group" aria-label={t('as')} className="mb-3 flex gap-1.5">
        {(['form', 'json'] as const).map((each) => {
          const pressed = (text !== null) === (each === 'json');
          return (
            <Button
              key={each}
              small
              look={pressed ? 'plain' : 'quiet'}
              aria-pressed={pressed}
              disabled={each === 'form' && wrong}
              onClick={() => setText(each === 'json' ? JSON.stringify(value, null, 2) : null)}
            >
              {t(`as.${each}`)}
            </Button>
          );
        })}
      </div>
      {text === null ? (
        <SchemaForm schema={schema} names={names} value={value} onValue={onValue} />
      ) : (
        <Field label={t('json')} error={wrong ? t('json.wrong') : undefined}>
          <TextArea
            className="min-h-56 font-mono"
            spellCheck={false}
            value={text}
            onChange={(event) => read(event.target.value)}
          />
        </Field>
      )}
    </>
  );
}
