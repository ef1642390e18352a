import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '@/api/client';
import { sitesQuery } from '@/api/queries';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Field, Input, Select, TextArea } from '@/ui/fields';
import { t } from './text';

/** Read `name=value` lines; null when one is none. */
export function readEntries(text: string): { name: string; value: string }[] | null {
  const entries = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const at = line.indexOf('=');
      return { name: line.slice(0, Math.max(0, at)).trim(), value: line.slice(at + 1).trim() };
    });
  return entries.length > 0 && entries.every((entry) => entry.name) ? entries : null;
}

export function AddTemplate({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const sites = useQuery(sitesQuery);
  const [given, setGiven] = useState({
    name: '',
    vendor: '',
    model: '',
    firmware_version: '',
    site: '',
    station: '',
    entries: '',
  });
  const [refusal, setRefusal] = useState('');
  const entries = readEntries(given.entries);
  const text = (name: keyof typeof given) => ({
    value: given[name],
    onChange: (event: { target: { value: string } }) =>
      setGiven({ ...given, [name]: event.target.value }),
  });
  const save = async () => {
    try {
      await api.POST('/api/v1/configuration-templates', {
        body: {
          name: given.name.trim(),
          vendor: given.vendor.trim(),
          model: given.model.trim(),
          firmware_version: given.firmware_version.trim(),
          entries,
          ...(given.site ? { site_id: given.site } : {}),
          ...(given.station.trim() ? { station_id: given.station.trim() } : {}),
        } as never,
      });
      await queries.invalidateQueries({ queryKey: ['templates'] });
      onClose();
    } catch (fault) {
      setRefusal(fault instanceof Error ? fault.message : String(fault));
    }
  };
  return (
    <Dialog
      open
      wide
      onOpenChange={(open) => !open && onClose()}
      title={t('add')}
      description={t('add.hint')}
      footer={
        <Button look="primary" disabled={!entries} onClick={() => void save()}>
          {t('add')}
        </Button>
      }
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t('name')}>
          <Input {...text('name')} maxLength={200} />
        </Field>
        <Field label={t('scope.site')}>
          <Select {...text('site')}>
            <option value="">{t('fits.all')}</option>
            {sites.data?.items.map((site) => (
              <option key={site.id} value={site.id}>
                {site.name}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t('vendor')} hint={t('star')}>
          <Input {...text('vendor')} />
        </Field>
        <Field label={t('model')} hint={t('star')}>
          <Input {...text('model')} />
        </Field>
        <Field label={t('firmware')} hint={t('star')}>
          <Input {...text('firmware_version')} />
        </Field>
        <Field label={t('scope.station')}>
          <Input {...text('station')} />
        </Field>
        <div className="sm:col-span-2">
          <Field label={t('entries')} hint={t('entries.hint')} error={refusal || undefined}>
            <TextArea className="min-h-32 font-mono" spellCheck={false} {...text('entries')} />
          </Field>
        </div>
      </div>
    </Dialog>
  );
}
