// The second step: who the station is, or with which key it introduces itself, and how it is secured.
import { useQuery } from '@tanstack/react-query';
import { CircleAlert } from 'lucide-react';
import { useState, type ReactNode, type SubmitEvent } from 'react';
import { api, data, Problem } from '@/api/client';
import { useMay } from '@/api/me';
import { queries, sitesQuery } from '@/api/queries';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { Checkbox, Field, Input, Select } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { Panel } from '@/ui/page';
import type { Brand } from './brands';
import { PROFILES, type OnboardingSearch, type Profile } from './route';
import { ENROLMENT, keepSecret } from './secrets';
import { t } from './text';

const KEY_LASTS_MS = 30 * 86_400_000;

export function IdentityStep({
  brand,
  search,
  hasTls,
  onChange,
  onMade,
}: {
  brand: Brand;
  search: OnboardingSearch;
  hasTls: boolean;
  onChange: (change: Partial<OnboardingSearch>) => void;
  onMade: (change: Partial<OnboardingSearch>) => void;
}) {
  const sites = useQuery(sitesQuery);
  const mayMakeKeys = useMay('manage_onboarding');
  const byKey = search.way === 'key';
  const profile: Profile = search.profile ?? (hasTls ? '2' : '1');
  const [id, setId] = useState(search.station ?? '');
  const [name, setName] = useState('');
  const [uses, setUses] = useState('10');
  const [site, setSite] = useState('');
  const [ask, setAsk] = useState(true);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const errors = fault instanceof Problem ? fault.errors : [];

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault(null);
    try {
      if (byKey) {
        await makeKey(name.trim(), Number(uses), site);
        onMade({ profile, station: undefined });
      } else {
        const made = await makeStation(id.trim(), name.trim(), site, profile, ask);
        onMade({ profile, station: made });
      }
    } catch (problem) {
      setFault(problem);
      setBusy(false);
    }
  };

  return (
    <Panel title={t('way')} className="max-w-3xl">
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => void submit(event)}
        noValidate={false}
      >
        <fieldset className="grid gap-2 sm:grid-cols-2">
          <legend className="sr-only">{t('way')}</legend>
          <Choice
            name="way"
            chosen={!byKey}
            onChoose={() => onChange({ way: undefined })}
            title={t('way.station')}
            hint={t('way.station.hint')}
          />
          <Choice
            name="way"
            chosen={byKey}
            disabled={!mayMakeKeys}
            onChoose={() => onChange({ way: 'key' })}
            title={t('way.key')}
            hint={t(mayMakeKeys ? 'way.key.hint' : 'way.key.forbidden')}
          />
        </fieldset>
        {byKey ? (
          <>
            <Field label={t('key.name')} hint={t('key.until')}>
              <Input
                value={name}
                onChange={(event) => setName(event.target.value)}
                required
                maxLength={100}
              />
            </Field>
            <Field label={t('key.uses')}>
              <Input
                type="number"
                min={1}
                max={100000}
                value={uses}
                onChange={(event) => setUses(event.target.value)}
                required
                className="!w-32"
              />
            </Field>
          </>
        ) : (
          <>
            <Field
              label={t('id')}
              hint={brand.fields.identity === null ? t('id.serial') : t('id.hint')}
              error={errors.find((each) => each.field.endsWith('id'))?.message}
            >
              <Input
                value={id}
                onChange={(event) => setId(event.target.value)}
                required
                maxLength={48}
                autoComplete="off"
                autoCapitalize="off"
                spellCheck={false}
              />
            </Field>
            <Field label={t('name')} hint={t('name.hint')}>
              <Input
                value={name}
                onChange={(event) => setName(event.target.value)}
                maxLength={200}
              />
            </Field>
          </>
        )}
        <Field label={t('site')}>
          <Select value={site} onChange={(event) => setSite(event.target.value)}>
            <option value="">{t('site.none')}</option>
            {sites.data?.items.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </Select>
        </Field>
        <Field
          label={t('profile')}
          hint={`${t(`profile.${profile}.hint`)}${hasTls ? '' : ` ${t('profile.no.tls')}`}`}
        >
          <Select
            value={profile}
            onChange={(event) =>
              onChange({ profile: PROFILES.find((each) => each === event.target.value) })
            }
            className="!w-64 max-sm:!w-full"
          >
            {PROFILES.map((each) => (
              <option key={each} value={each} disabled={each !== '1' && !hasTls}>
                {t(`profile.${each}`)}
              </option>
            ))}
          </Select>
        </Field>
        {!byKey && (
          <Checkbox
            label={t('ask')}
            checked={ask}
            onChange={(event) => setAsk(event.target.checked)}
          />
        )}
        {fault != null && (
          <p role="alert" className="flex gap-1.5 text-danger">
            <CircleAlert aria-hidden size={15} className="mt-0.5 shrink-0" />
            <span>{errors[0]?.message ?? faultText(fault)}</span>
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => onChange({ step: 'brand' })}>{t('back')}</Button>
          <Button type="submit" look="primary" busy={busy}>
            {t(byKey ? 'make.key' : 'make')}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

async function makeStation(
  id: string,
  name: string,
  site: string,
  profile: Profile,
  ask: boolean,
): Promise<string> {
  const station = await data(
    api.POST('/api/v1/stations', {
      body: {
        id,
        name,
        // A station comes to profile 3 with the password of profile 2: until then there is no certificate.
        security_profile: profile === '1' ? 1 : 2,
        admission: ask ? 'pending' : 'accepted',
        ...(site ? { site_id: site } : {}),
      } as never,
    }),
  );
  if ('password' in station) keepSecret(station.id, station.password);
  return station.id;
}

async function makeKey(name: string, uses: number, site: string): Promise<void> {
  const made = await data(
    api.POST('/api/v1/enrolment-keys', {
      body: {
        name,
        maximum_uses: uses,
        admit: false,
        expires_at: new Date(Date.now() + KEY_LASTS_MS).toISOString(),
        ...(site ? { site_id: site } : {}),
      } as never,
    }),
  );
  keepSecret(ENROLMENT, made.key);
  void queries.invalidateQueries({ queryKey: ['enrolment-keys'] });
}

function Choice({
  name,
  title,
  hint,
  chosen,
  disabled = false,
  onChoose,
}: {
  name: string;
  title: ReactNode;
  hint: ReactNode;
  chosen: boolean;
  disabled?: boolean;
  onChoose: () => void;
}) {
  return (
    <label
      className={classes(
        'grid grid-cols-[auto_minmax(0,1fr)] content-start gap-x-2.5 rounded-md border px-3 py-2 has-focus-visible:outline-2 has-focus-visible:outline-accent',
        chosen ? 'border-accent bg-accent-soft' : 'border-line',
        !disabled && 'cursor-pointer hover:bg-hover',
      )}
    >
      <input
        type="radio"
        name={name}
        checked={chosen}
        disabled={disabled}
        onChange={onChoose}
        className="mt-0.5 size-4 accent-[var(--accent)]"
      />
      <span className="font-medium">{title}</span>
      <span className="col-start-2 text-xs text-muted">{hint}</span>
    </label>
  );
}
