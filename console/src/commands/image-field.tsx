// Firmware is chosen by its name, not by an id that nobody knows.
import { useQuery } from '@tanstack/react-query';
import { imageName, imagesQuery } from '@/api/firmware';
import { Field, Select } from '@/ui/fields';
import { t } from './text';

export function ImageField({
  title,
  value,
  onValue,
}: {
  title: string;
  value: unknown;
  onValue: (value: unknown) => void;
}) {
  const images = useQuery(imagesQuery);
  const chosen = typeof value === 'string' ? value : '';
  const known = (images.data?.items ?? []).filter((image) => image.uploaded_at !== null);
  return (
    <div className="sm:col-span-2">
      <Field label={title}>
        <Select value={chosen} onChange={(event) => onValue(event.target.value || undefined)}>
          <option value="">{t('form.none')}</option>
          {chosen && !known.some((image) => image.id === chosen) && (
            <option value={chosen}>{chosen}</option>
          )}
          {known.map((image) => (
            <option key={image.id} value={image.id}>
              {imageName(image)}
            </option>
          ))}
        </Select>
      </Field>
    </div>
  );
}
