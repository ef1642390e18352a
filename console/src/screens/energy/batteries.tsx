// The batteries of a site: what each does, what it was told and why, and whether it obeys.
import { joined, percent, power } from '@/i18n/quantity';
import { Panel } from '@/ui/page';
import type { EnergyLive } from './questions';
import { t } from './text';

export function Batteries({ now }: { now: EnergyLive }) {
  if (now.batteries.length === 0) return null;
  return (
    <Panel title={t('batteries')}>
      <ul className="flex flex-col divide-y divide-line">
        {now.batteries.map((battery) => (
          <li key={battery.id} className="py-1.5 first:pt-0 last:pb-0">
            <p className="flex flex-wrap items-baseline gap-x-3">
              <span className="font-medium">{battery.name || battery.id}</span>
              <span className="tabular">
                {battery.power_w === null
                  ? t('battery.silent')
                  : t(battery.power_w < 0 ? 'battery.takes' : 'battery.gives', {
                      power: joined(power(Math.abs(battery.power_w))),
                    })}
                {battery.soc_percent !== null &&
                  `, ${t('flow.soc', { soc: joined(percent(battery.soc_percent)) })}`}
              </span>
            </p>
            <p className="text-xs text-muted">
              <span
                className={
                  battery.state === 'ignoring' || battery.state === 'failed' ? 'text-danger' : ''
                }
              >
                {t(`battery.${battery.state}`)}
              </span>
              {battery.set_point_w !== null &&
                ` · ${t(battery.set_point_w < 0 ? 'battery.told.take' : 'battery.told.give', {
                  power: joined(power(Math.abs(battery.set_point_w))),
                })}`}
              {battery.why &&
                battery.state !== 'uncontrolled' &&
                ` · ${t(`battery.why.${battery.why}`)}`}
            </p>
            {battery.error && <p className="text-xs break-words text-danger">{battery.error}</p>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
