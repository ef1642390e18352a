import { useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { timeZone } from '@/i18n/quantity';
import { Field, Input, Select, TextArea } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { toast } from '@/ui/toast';
import { countries } from './country';
import { t } from './text';

type Site = Schemas['Site'];

/** Change a site, or add one, and let all that shows sites know. */
export async function saveSite(
  site: Site | undefined,
  changes: Schemas['SiteChanges'] & { name: string },
): Promise<Site> {
  const saved = site
    ? await data(
        api.PATCH('/api/v1/sites/{site_id}', {
          params: { path: { site_id: site.id } },
          body: changes,
        }),
      )
    : await data(api.POST('/api/v1/sites', { body: changes }));
  await Promise.all([
    queries.invalidateQueries({ queryKey: ['sites'] }),
    queries.invalidateQueries({ queryKey: ['site', saved.id] }),
  ]);
  toast('good', t('saved', { name: saved.name }));
  return saved;
}

export function splitTags(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/[,;]/)
        .map((tag) => tag.trim())
        .filter(Boolean),
    ),
  ];
}

function coordinate(text: string): number | null {
  const value = text.trim().replace(',', '.');
  return value === '' ? null : Number(value);
}

/** What a site is called and where it is. */
export function SiteForm({
  site,
  onClose,
  onSaved,
}: {
  site?: Site;
  onClose: () => void;
  onSaved?: (site: Site) => void;
}) {
  const [filled, setFilled] = useState({
    name: site?.name ?? '',
    address: site?.address ?? '',
    city: site?.city ?? '',
    country: site?.country ?? '',
    latitude: site?.latitude?.toString() ?? '',
    longitude: site?.longitude?.toString() ?? '',
    time_zone: site?.time_zone ?? timeZone,
    access_notes: site?.access_notes ?? '',
    tags: site?.tags.join(', ') ?? '',
  });
  const bind = (field: keyof typeof filled) => ({
    value: filled[field],
    onChange: (
      event: React.ChangeEvent<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>,
    ) => setFilled((before) => ({ ...before, [field]: event.target.value })),
  });
  const submit = async () => {
    const saved = await saveSite(site, {
      name: filled.name.trim(),
      address: filled.address.trim(),
      city: filled.city.trim(),
      country: filled.country,
      latitude: coordinate(filled.latitude),
      longitude: coordinate(filled.longitude),
      time_zone: filled.time_zone,
      access_notes: filled.access_notes.trim(),
      tags: splitTags(filled.tags),
    });
    onClose();
    onSaved?.(saved);
  };
  const badNumber = (text: string, most: number) => {
    const value = coordinate(text);
    return value !== null && !(Math.abs(value) <= most) ? t('form.degrees', { most }) : undefined;
  };
  const latitudeFault = badNumber(filled.latitude, 90);
  const longitudeFault = badNumber(filled.longitude, 180);
  return (
    <FormDialog
      title={site ? t('edit.title', { name: site.name }) : t('add.title')}
      action={site ? t('save') : t('add')}
      wide
      onClose={onClose}
      onSubmit={submit}
      disabled={!filled.name.trim() || Boolean(latitudeFault ?? longitudeFault)}
    >
      {(errorOf) => (
        <div className="grid gap-3 sm:grid-cols-2">
          <div className="sm:col-span-2">
            <Field label={t('column.name')} error={errorOf('name')}>
              <Input {...bind('name')} required maxLength={200} />
            </Field>
          </div>
          <Field label={t('form.address')} error={errorOf('address')}>
            <Input {...bind('address')} maxLength={400} autoComplete="off" />
          </Field>
          <Field label={t('form.city')} error={errorOf('city')}>
            <Input {...bind('city')} maxLength={200} autoComplete="off" />
          </Field>
          <Field label={t('country.label')} error={errorOf('country')}>
            <Select {...bind('country')}>
              <option value="">{t('form.unknown')}</option>
              {countries().map(([code, name]) => (
                <option key={code} value={code}>
                  {name}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t('form.zone')} hint={t('form.zone.hint')} error={errorOf('time_zone')}>
            <Select {...bind('time_zone')}>
              {[...new Set([filled.time_zone, 'UTC', ...Intl.supportedValuesOf('timeZone')])].map(
                (zone) => (
                  <option key={zone}>{zone}</option>
                ),
              )}
            </Select>
          </Field>
          <Field
            label={t('form.latitude')}
            hint={t('form.place.hint')}
            error={latitudeFault ?? errorOf('latitude')}
          >
            <Input {...bind('latitude')} inputMode="decimal" placeholder="53.5461" />
          </Field>
          <Field label={t('form.longitude')} error={longitudeFault ?? errorOf('longitude')}>
            <Input {...bind('longitude')} inputMode="decimal" placeholder="9.9662" />
          </Field>
          <div className="sm:col-span-2">
            <Field label={t('form.tags')} hint={t('form.tags.hint')} error={errorOf('tags')}>
              <Input {...bind('tags')} autoComplete="off" />
            </Field>
          </div>
          <div className="sm:col-span-2">
            <Field
              label={t('form.access')}
              hint={t('form.access.hint')}
              error={errorOf('access_notes')}
            >
              <TextArea {...bind('access_notes')} maxLength={4000} />
            </Field>
          </div>
        </div>
      )}
    </FormDialog>
  );
}
