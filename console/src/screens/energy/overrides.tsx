// Limits that people set for a time: the list of those that hold, and the dialog for a new one.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Hand } from 'lucide-react';
import { useState } from 'react';
import { api, data, Problem } from '@/api/client';
import { useMay } from '@/api/me';
import { joined, moment, number, power, relative } from '@/i18n/quantity';
import { useNow } from '@/live/hooks';
import { Button } from '@/ui/button';
import { Dialog } from '@/ui/dialog';
import { Field, Input, Select } from '@/ui/fields';
import { Panel } from '@/ui/page';
import { ErrorState } from '@/ui/states';
import { toast } from '@/ui/toast';
import { overridesQuery, type EnergyLive, type Override } from './questions';
import { t } from './text';

export interface Target {
  node?: string | undefined;
  evse?: string | undefined;
}

const HOURS = [1, 2, 4, 8, 24, 72] as const;

function limitOf(override: Override): string {
  return [
    override.limit_a === null ? '' : `${number(override.limit_a, 1)}\u00a0A`,
    override.limit_w === null ? '' : joined(power(override.limit_w)),
  ]
    .filter(Boolean)
    .join(', ');
}

export function Overrides({ siteId, onNew }: { siteId: string; onNew: () => void }) {
  const may = useMay('override_energy');
  const overrides = useQuery(overridesQuery(siteId));
  const cache = useQueryClient();
  const now = useNow(10_000);
  const end = useMutation({
    mutationFn: (id: string) =>
      api.DELETE('/api/v1/sites/{site_id}/energy/overrides/{override_id}', {
        params: { path: { site_id: siteId, override_id: id } },
      }),
    onSuccess: () => toast('good', t('override.ended')),
    onError: (fault) => toast('bad', t('override.end.failed'), fault.message),
    onSettled: () => cache.invalidateQueries({ queryKey: ['energy', siteId] }),
  });
  const rows = overrides.data ?? [];
  return (
    <Panel
      title={t('overrides')}
      actions={
        may && (
          <Button small icon={Hand} onClick={onNew}>
            {t('override.new')}
          </Button>
        )
      }
    >
      {overrides.isError ? (
        <ErrorState error={overrides.error} onRetry={() => void overrides.refetch()} />
      ) : rows.length === 0 ? (
        <p className="text-muted">{t('overrides.none')}</p>
      ) : (
        <ul className="flex flex-col divide-y divide-line">
          {rows.map((row) => (
            <li key={row.id} className="flex items-center gap-3 py-1.5 first:pt-0 last:pb-0">
              <div className="min-w-0 flex-1">
                <p className="truncate">
                  <span className="font-medium">
                    {row.node_id ?? `${row.station_id ?? ''}/${row.evse_id ?? ''}`}
                  </span>{' '}
                  <span className="tabular">≤ {limitOf(row)}</span>
                </p>
                <p className="truncate text-xs text-muted" title={moment(row.expires_at)}>
                  {t('override.ends', { when: relative(row.expires_at, now), who: row.created_by })}
                  {row.reason && ` · ${row.reason}`}
                </p>
              </div>
              {may && (
                <Button
                  small
                  busy={end.isPending && end.variables === row.id}
                  onClick={() => end.mutate(row.id)}
                >
                  {t('override.end')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** Asks for a limit of a node or an EVSE and until when it holds. */
export function OverrideDialog({
  siteId,
  now,
  target,
  onClose,
}: {
  siteId: string;
  now: EnergyLive;
  target: Target;
  onClose: () => void;
}) {
  const cache = useQueryClient();
  const [what, setWhat] = useState(
    target.evse ? `evse ${target.evse}` : `node ${target.node ?? ''}`,
  );
  const [unit, setUnit] = useState<'a' | 'w'>('a');
  const [limit, setLimit] = useState('');
  const [hours, setHours] = useState<number>(2);
  const [reason, setReason] = useState('');
  const amount = Number(limit.replace(',', '.'));
  const isGood = limit.trim() !== '' && Number.isFinite(amount) && amount >= 0;
  const evse = now.evses.find((each) => what === `evse ${each.key}`);
  const set = useMutation({
    mutationFn: () =>
      data(
        api.POST('/api/v1/sites/{site_id}/energy/overrides', {
          params: { path: { site_id: siteId } },
          body: {
            ...(evse
              ? { station_id: evse.station_id, evse_id: evse.evse_id }
              : { node_id: what.slice('node '.length) }),
            ...(unit === 'a' ? { limit_a: amount } : { limit_w: amount * 1000 }),
            expires_at: new Date(Date.now() + hours * 3_600_000).toISOString(),
            reason,
          },
        }),
      ),
    onSuccess: () => {
      toast('good', t('override.set'));
      void cache.invalidateQueries({ queryKey: ['energy', siteId] });
      onClose();
    },
  });
  const fault = set.error;
  const faultAt = (field: string) =>
    fault instanceof Problem
      ? fault.errors.find((each) => each.field.endsWith(field))?.message
      : undefined;
  const spotless = !faultAt('limit_a') && !faultAt('limit_w') && !faultAt('reason');
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('override.title')}
      description={t('override.hint')}
      footer={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button
            look="primary"
            busy={set.isPending}
            disabled={!isGood || set.isPending}
            type="submit"
            form="energy-override"
          >
            {t('override.do')}
          </Button>
        </>
      }
    >
      <form
        id="energy-override"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isGood && !set.isPending) set.mutate();
        }}
      >
        <Field label={t('override.what')}>
          <Select value={what} onChange={(event) => setWhat(event.target.value)}>
            <optgroup label={t('circuits')}>
              {now.nodes.map((node) => (
                <option key={node.id} value={`node ${node.id}`}>
                  {node.name || node.id}
                </option>
              ))}
            </optgroup>
            <optgroup label={t('evses')}>
              {now.evses.map((each) => (
                <option key={each.key} value={`evse ${each.key}`}>
                  {each.key}
                </option>
              ))}
            </optgroup>
          </Select>
        </Field>
        <div className="grid grid-cols-[1fr_120px] gap-3">
          <Field label={t('override.limit')} error={faultAt(unit === 'a' ? 'limit_a' : 'limit_w')}>
            <Input
              inputMode="decimal"
              value={limit}
              onChange={(event) => setLimit(event.target.value)}
              autoComplete="off"
            />
          </Field>
          <Field label={t('override.unit')}>
            <Select value={unit} onChange={(event) => setUnit(event.target.value as 'a' | 'w')}>
              <option value="a">{t('unit.a')}</option>
              <option value="w">kW</option>
            </Select>
          </Field>
        </div>
        <Field
          label={t('override.for')}
          hint={t('override.until', { when: moment(Date.now() + hours * 3_600_000) })}
        >
          <Select value={hours} onChange={(event) => setHours(Number(event.target.value))}>
            {HOURS.map((each) => (
              <option key={each} value={each}>
                {t('hours', { count: each })}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t('override.reason')} error={faultAt('reason')}>
          <Input
            value={reason}
            maxLength={200}
            onChange={(event) => setReason(event.target.value)}
          />
        </Field>
        {fault && spotless && (
          <p role="alert" className="text-danger">
            {fault.message}
          </p>
        )}
      </form>
    </Dialog>
  );
}
