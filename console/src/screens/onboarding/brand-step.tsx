// The first step: which charger it is.
import { useState } from 'react';
import { classes } from '@/ui/classes';
import { Button } from '@/ui/button';
import { SearchField } from '@/ui/fields';
import { Panel } from '@/ui/page';
import { searchBrands } from './brands';
import { t } from './text';

export function BrandStep({
  chosen,
  onChoose,
  onNext,
}: {
  chosen: string | undefined;
  onChoose: (brand: string) => void;
  onNext: () => void;
}) {
  const [words, setWords] = useState('');
  const found = searchBrands(words);
  return (
    <Panel title={t('brand')} note={t('brand.hint')}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          onNext();
        }}
      >
        <SearchField
          label={t('brand.search')}
          value={words}
          onValue={setWords}
          shortcut="/"
          className="w-72 max-sm:w-full"
        />
        {words !== '' && found.length === 1 && <p className="text-muted">{t('brand.none')}</p>}
        <fieldset className="grid gap-2 sm:grid-cols-2 lg:grid-cols-3">
          <legend className="sr-only">{t('brand')}</legend>
          {found.map((brand) => (
            <label
              key={brand.id}
              className={classes(
                'grid cursor-pointer grid-cols-[auto_minmax(0,1fr)] content-start gap-x-2.5 rounded-md border px-3 py-2 has-focus-visible:outline-2 has-focus-visible:outline-accent',
                chosen === brand.id ? 'border-accent bg-accent-soft' : 'border-line hover:bg-hover',
              )}
            >
              <input
                type="radio"
                name="brand"
                value={brand.id}
                checked={chosen === brand.id}
                onChange={() => onChoose(brand.id)}
                className="mt-0.5 size-4 accent-[var(--accent)]"
              />
              <span className="font-medium">{brand.name || t('brand.other')}</span>
              <span className="col-start-2 text-xs text-muted">
                {brand.models || t('brand.other.models')}
              </span>
            </label>
          ))}
        </fieldset>
        <Button type="submit" look="primary" disabled={!chosen} className="self-end">
          {t('next')}
        </Button>
      </form>
    </Panel>
  );
}
