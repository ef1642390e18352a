// What the plan makes of the forecasts of the site.
import type { Schemas } from '@/api/client';
import { Checkbox, Field, Select } from '@/ui/fields';
import { Panel } from '@/ui/page';
import { Amount } from './parts';
import { isShare, STAY_USES, type StayUse } from './policy';
import type { Tree } from './questions';
import { t } from './text';

type Policy = Schemas['ForecastGiven'];

export function ForecastPolicy({ tree, onTree }: { tree: Tree; onTree: (tree: Tree) => void }) {
  const policy = tree.forecast ?? {};
  const change = (fields: Partial<Policy>) =>
    onTree({ ...tree, forecast: { ...policy, ...fields } });
  return (
    <Panel title={t('policy')}>
      <div className="flex flex-col gap-4">
        <div className="flex flex-col items-start gap-1">
          <Checkbox
            label={t('policy.load')}
            checked={policy.load ?? true}
            onChange={(event) => change({ load: event.target.checked })}
          />
          <Checkbox
            label={t('policy.generation')}
            checked={policy.generation ?? true}
            onChange={(event) => change({ generation: event.target.checked })}
          />
        </div>
        <div className="grid items-start gap-3 sm:grid-cols-2">
          <Use
            label={t('policy.departures')}
            value={policy.departures ?? 'missing'}
            onValue={(departures) => change({ departures })}
          />
          {policy.departures !== 'off' && (
            <Quantile
              of="departure"
              value={policy.departure_quantile ?? 0.25}
              onValue={(departure_quantile) => change({ departure_quantile })}
            />
          )}
          <Use
            label={t('policy.energies')}
            value={policy.energies ?? 'missing'}
            onValue={(energies) => change({ energies })}
          />
          {policy.energies !== 'off' && (
            <Quantile
              of="energy"
              value={policy.energy_quantile ?? 0.6}
              onValue={(energy_quantile) => change({ energy_quantile })}
            />
          )}
        </div>
      </div>
    </Panel>
  );
}

function Use({
  label,
  value,
  onValue,
}: {
  label: string;
  value: StayUse;
  onValue: (value: StayUse) => void;
}) {
  return (
    <div className="sm:col-start-1">
      <Field label={label} hint={t(`policy.${value}.hint`)}>
        <Select
          value={value}
          onChange={(event) =>
            onValue(STAY_USES.find((each) => each === event.target.value) ?? 'off')
          }
        >
          {STAY_USES.map((each) => (
            <option key={each} value={each}>
              {t(`policy.${each}`)}
            </option>
          ))}
        </Select>
      </Field>
    </div>
  );
}

/** A part of the cars, in percent; a tree without a choice of its own has the server's. */
function Quantile({
  of,
  value,
  onValue,
}: {
  of: 'departure' | 'energy';
  value: number;
  onValue: (value: number) => void;
}) {
  return (
    <Amount
      label={t(`policy.${of}.share`)}
      hint={t(`policy.${of}.share.hint`)}
      error={isShare(of, value) ? undefined : t(`policy.${of}.share.bad`)}
      value={Math.round(value * 1000) / 10}
      onValue={(share) => {
        if (share !== null) onValue(share / 100);
      }}
    />
  );
}
