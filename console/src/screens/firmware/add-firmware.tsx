// Adds firmware and uploads its file, telling how far it is.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { api, data } from '@/api/client';
import { number } from '@/i18n/quantity';
import { useStations } from '@/live/hooks';
import { Field, Input, TextArea } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { toast } from '@/ui/toast';
import { imageName, sha256, upload, type Image } from '@/api/firmware';
import { t } from './text';

/** `image` has been added before, and lacks its file only. */
export function AddFirmware({ image, onClose }: { image: Image | null; onClose: () => void }) {
  const queries = useQueryClient();
  const [made, setMade] = useState(image);
  const [file, setFile] = useState<File | null>(null);
  const [share, setShare] = useState<number | null>(null);
  const [given, setGiven] = useState({
    vendor: '',
    model: '',
    version: '',
    notes: '',
    signature: '',
    certificate: '',
    expected: '',
  });
  const checksum = useChecksum(file);
  const expected = given.expected.trim().toLowerCase();
  const differs = expected !== '' && checksum.data != null && checksum.data !== expected;
  const text = (name: keyof typeof given) => ({
    value: given[name],
    onChange: (event: { target: { value: string } }) =>
      setGiven({ ...given, [name]: event.target.value }),
  });
  const submit = async () => {
    if (!file) return;
    let target = made;
    if (!target) {
      target = await data(
        api.POST('/api/v1/firmware', {
          body: {
            vendor: given.vendor.trim(),
            model: given.model.trim(),
            version: given.version.trim(),
            file_name: file.name,
            notes: given.notes,
            signature: given.signature.trim() || null,
            signing_certificate: given.certificate.trim() || null,
          },
        }),
      );
      setMade(target);
    }
    try {
      setShare(0);
      await upload(target.id, file, expected || (checksum.data ?? null), setShare);
    } finally {
      setShare(null);
      await queries.invalidateQueries({ queryKey: ['firmware'] });
      await queries.invalidateQueries({ queryKey: ['firmware-versions'] });
    }
    toast('good', t('added.done', { name: imageName(target) }));
    onClose();
  };
  const complete =
    file !== null && !differs && (made !== null || (given.vendor.trim() && given.version.trim()));
  return (
    <FormDialog
      wide
      title={made ? t('upload.of', { name: imageName(made) }) : t('add')}
      description={t('add.hint')}
      action={t(made ? 'upload' : 'add.do')}
      disabled={!complete}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <>
          <Field
            label={t('file')}
            hint={
              checksum.data
                ? `SHA-256 ${checksum.data}`
                : checksum.isLoading
                  ? t('checksum.counting')
                  : undefined
            }
          >
            <Input
              type="file"
              className="!h-9 py-1.5 font-mono text-xs break-all file:mr-3 file:font-sans"
              onChange={(event) => setFile(event.target.files?.[0] ?? null)}
            />
          </Field>
          {!made && <Make text={text} errorOf={errorOf} />}
          <Field
            label={t('checksum')}
            hint={t('checksum.hint')}
            error={differs ? t('checksum.differs') : undefined}
          >
            <Input className="font-mono text-xs" spellCheck={false} {...text('expected')} />
          </Field>
          {!made && (
            <details>
              <summary className="min-h-6 cursor-pointer text-accent">{t('signing')}</summary>
              <div className="mt-2 grid gap-3 sm:grid-cols-2">
                <Field
                  label={t('signature')}
                  hint={t('signature.hint')}
                  error={errorOf('signature')}
                >
                  <TextArea className="font-mono text-xs" {...text('signature')} />
                </Field>
                <Field label={t('certificate')} error={errorOf('signing_certificate')}>
                  <TextArea className="font-mono text-xs" {...text('certificate')} />
                </Field>
              </div>
            </details>
          )}
          {share !== null && <Bar share={share} />}
        </>
      )}
    </FormDialog>
  );
}

function useChecksum(file: File | null) {
  return useQuery({
    queryKey: ['sha256', file?.name, file?.size, file?.lastModified],
    queryFn: () => (file ? sha256(file) : null),
    enabled: file !== null,
    staleTime: Infinity,
    gcTime: 0,
  });
}

function Make({
  text,
  errorOf,
}: {
  text: (name: 'vendor' | 'model' | 'version' | 'notes') => {
    value: string;
    onChange: (event: { target: { value: string } }) => void;
  };
  errorOf: (field: string) => string | undefined;
}) {
  const stations = useStations(5000);
  const vendors = useId();
  const models = useId();
  const vendor = text('vendor').value.trim();
  const some = (values: string[]) => [...new Set(values)].filter(Boolean).sort();
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-3">
        <Field label={t('vendor')} hint={t('vendor.hint')} error={errorOf('vendor')}>
          <Input list={vendors} required autoComplete="off" {...text('vendor')} />
        </Field>
        <Field label={t('model')} hint={t('model.hint')} error={errorOf('model')}>
          <Input list={models} autoComplete="off" {...text('model')} />
        </Field>
        <Field label={t('version')} hint={t('version.hint')} error={errorOf('version')}>
          <Input required autoComplete="off" {...text('version')} />
        </Field>
      </div>
      <datalist id={vendors}>
        {some(stations.map((station) => station.vendor)).map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <datalist id={models}>
        {some(
          stations.filter((station) => station.vendor === vendor).map((station) => station.model),
        ).map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <Field label={t('notes')} error={errorOf('notes')}>
        <TextArea className="!min-h-14" {...text('notes')} />
      </Field>
    </>
  );
}

function Bar({ share }: { share: number }) {
  return (
    <div>
      <div
        role="progressbar"
        aria-label={t('uploading')}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        className="h-2 overflow-hidden rounded-full bg-line"
      >
        <div className="h-full bg-accent" style={{ width: `${share * 100}%` }} />
      </div>
      <p className="mt-1 text-xs text-muted tabular">
        {share < 1 ? `${t('uploading')} ${number(share * 100)}\u00a0%` : t('checking')}
      </p>
    </div>
  );
}
