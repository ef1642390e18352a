// Says for what lists are kept or left alone, and what follows before it is done.
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { useMe } from '@/api/me';
import { sitesQuery } from '@/api/queries';
import { useStations } from '@/live/hooks';
import { Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { toast } from '@/ui/toast';
import { setRule } from './questions';
import { changedBy, type Place, type Rule } from './standing';
import { t } from './text';

const KINDS = ['all', 'site', 'station'] as const;
type Kind = (typeof KINDS)[number];

/** Say what a change of the rules does to how many stations. */
export function changeWords(changed: { kept: number; left: number }): string {
  const parts = [
    changed.left > 0 && t('change.left', { count: changed.left }),
    changed.kept > 0 && t('change.kept', { count: changed.kept }),
  ].filter((part) => part !== false);
  return parts.length > 0 ? parts.join(' ') : t('change.none');
}

export function RuleForm({
  rule,
  rules,
  keptByDefault,
  onClose,
}: {
  /** One to be changed; null for a new one. */
  rule: Rule | null;
  rules: readonly Rule[];
  keptByDefault: boolean;
  onClose: () => void;
}) {
  const isLimited = useMe().sites !== null;
  const sites = useQuery(sitesQuery);
  const stations = useStations(5000);
  const list = useId();
  const kinds = KINDS.filter((each) => each !== 'all' || !isLimited);
  const [kind, setKind] = useState<Kind>(
    rule ? (rule.station_id !== null ? 'station' : rule.site_id !== null ? 'site' : 'all') : 'site',
  );
  const [site, setSite] = useState(rule?.site_id ?? '');
  const [station, setStation] = useState(rule?.station_id ?? '');
  const [kept, setKept] = useState(rule ? !rule.kept : !keptByDefault);
  const place: Place = {
    site_id: kind === 'site' ? site : null,
    station_id: kind === 'station' ? station.trim() : null,
  };
  const isWhole = place.site_id !== '' && place.station_id !== '';
  return (
    <FormDialog
      title={t(rule ? 'rule.change.title' : 'rule.add')}
      description={t('rules.hint')}
      action={t(kept ? 'keep' : 'leave')}
      disabled={!isWhole}
      onClose={onClose}
      onSubmit={async () => {
        await setRule(place, kept);
        toast('good', t('rule.saved'));
        onClose();
      }}
    >
      {(errorOf) => (
        <>
          <Field label={t('form.place')}>
            <Select
              value={kind}
              disabled={rule !== null}
              onChange={(event) =>
                setKind(KINDS.find((each) => each === event.target.value) ?? 'site')
              }
            >
              {kinds.map((each) => (
                <option key={each} value={each}>
                  {t(`form.${each}`)}
                </option>
              ))}
            </Select>
          </Field>
          {kind === 'site' && (
            <Field label={t('kind.site')} error={errorOf('site_id')}>
              <Select
                value={site}
                disabled={rule !== null}
                onChange={(event) => setSite(event.target.value)}
              >
                <option value="">{t('form.site.choose')}</option>
                {sites.data?.items.map((each) => (
                  <option key={each.id} value={each.id}>
                    {each.name}
                  </option>
                ))}
              </Select>
            </Field>
          )}
          {kind === 'station' && (
            <>
              <Field
                label={t('kind.station')}
                hint={t('form.station.hint')}
                error={errorOf('station_id')}
              >
                <Input
                  list={list}
                  autoComplete="off"
                  value={station}
                  disabled={rule !== null}
                  onChange={(event) => setStation(event.target.value)}
                />
              </Field>
              <datalist id={list}>
                {stations.map((each) => (
                  <option key={each.id} value={each.id} />
                ))}
              </datalist>
            </>
          )}
          <Field label={t('form.kept')} hint={t(kept ? 'form.keep.hint' : 'form.leave.hint')}>
            <Select
              value={kept ? 'keep' : 'leave'}
              onChange={(event) => setKept(event.target.value === 'keep')}
            >
              <option value="keep">{t('form.keep')}</option>
              <option value="leave">{t('form.leave')}</option>
            </Select>
          </Field>
          <p role="status">
            {isWhole && changeWords(changedBy(place, kept, stations, rules, keptByDefault))}
          </p>
        </>
      )}
    </FormDialog>
  );
}
