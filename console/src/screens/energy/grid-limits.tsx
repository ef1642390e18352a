// Limits of a site from grid operators and others: what was said, and what holds of it now.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { UtilityPole } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { joined, moment, power, relative } from '@/i18n/quantity';
import { useNow } from '@/live/hooks';
import { AskFirst } from '@/ui/ask-first';
import { Button } from '@/ui/button';
import { Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { Panel } from '@/ui/page';
import { toast } from '@/ui/toast';
import { Listed } from './listed';
import { gridLimitsQuery, type GridLimit } from './outside-questions';
import { treeQuery } from './questions';
import { t } from './text';

export function GridLimits({ siteId }: { siteId: string }) {
  const may = useMay('override_energy');
  const cache = useQueryClient();
  const limits = useQuery(gridLimitsQuery(siteId));
  const [isNew, setNew] = useState(false);
  const [leaving, setLeaving] = useState<GridLimit | null>(null);
  return (
    <Panel
      title={t('outside.limits')}
      actions={
        may && (
          <Button small icon={UtilityPole} onClick={() => setNew(true)}>
            {t('outside.limit.new')}
          </Button>
        )
      }
    >
      <Listed query={limits} none={t('outside.limits.none')}>
        {(limit) => (
          <Line
            key={limit.source}
            limit={limit}
            onWithdraw={
              may && !limit.source.startsWith('openadr:') ? () => setLeaving(limit) : undefined
            }
          />
        )}
      </Listed>
      {isNew && <NewLimit siteId={siteId} onClose={() => setNew(false)} />}
      {leaving && (
        <AskFirst
          wish={{
            title: t('outside.limit.withdraw.title', { source: leaving.source }),
            consequence: t('outside.limit.withdraw.hint'),
            action: t('outside.limit.withdraw'),
            done: t('outside.limit.withdrawn'),
            failed: t('outside.limit.failed'),
            destructive: false,
            run: () =>
              api
                .DELETE('/api/v1/sites/{site_id}/energy/grid-limits/{source}', {
                  params: { path: { site_id: siteId, source: leaving.source } },
                })
                .finally(() => cache.invalidateQueries({ queryKey: ['energy', siteId] })),
          }}
          onClose={() => setLeaving(null)}
        />
      )}
    </Panel>
  );
}

function Line({ limit, onWithdraw }: { limit: GridLimit; onWithdraw?: (() => void) | undefined }) {
  const now = useNow(10_000);
  const isOfEvent = limit.source.startsWith('openadr:');
  return (
    <li className="flex items-center gap-3 py-1.5 first:pt-0 last:pb-0">
      <div className="min-w-0 flex-1">
        <p className="truncate">
          <span className="font-medium">{isOfEvent ? limit.reason : limit.source}</span>{' '}
          <span className="tabular">
            {limit.holds_w === null ? '' : `${limit.node_id} ≤ ${joined(power(limit.holds_w))}`}
          </span>
        </p>
        <p className="truncate text-xs text-muted">
          {t(`outside.limit.${limit.state}`)}
          {limit.state === 'ahead' &&
            ` ${relative(limit.starts_at, now)}, ≤ ${joined(power(limit.limit_w))}`}
          {limit.ends_at && ` · ${t('outside.until', { when: moment(limit.ends_at) })}`}
          {!isOfEvent && limit.reason && ` · ${limit.reason}`}
          {limit.silent_after_s !== null &&
            ` · ${t('outside.heard', { when: relative(limit.heard_at, now) })}`}
        </p>
      </div>
      {onWithdraw && (
        <Button small onClick={onWithdraw}>
          {t('outside.limit.withdraw')}
        </Button>
      )}
    </li>
  );
}

function NewLimit({ siteId, onClose }: { siteId: string; onClose: () => void }) {
  const cache = useQueryClient();
  const tree = useQuery(treeQuery(siteId));
  const [source, setSource] = useState('grid-operator');
  const [node, setNode] = useState('');
  const [limit, setLimit] = useState('');
  const [hours, setHours] = useState(2);
  const [reason, setReason] = useState('');
  const amount = Number(limit.replace(',', '.'));
  const isGood = limit.trim() !== '' && Number.isFinite(amount) && amount >= 0 && source !== '';
  const submit = async () => {
    await data(
      api.PUT('/api/v1/sites/{site_id}/energy/grid-limits/{source}', {
        params: { path: { site_id: siteId, source } },
        body: {
          limit_w: amount * 1000,
          reason,
          ...(node ? { node_id: node } : {}),
          ...(hours ? { ends_at: new Date(Date.now() + hours * 3_600_000).toISOString() } : {}),
        },
      }),
    );
    toast('good', t('outside.limit.set'));
    void cache.invalidateQueries({ queryKey: ['energy', siteId] });
    onClose();
  };
  return (
    <FormDialog
      title={t('outside.limit.title')}
      description={t('outside.limit.hint')}
      action={t('outside.limit.do')}
      disabled={!isGood}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <>
          <Field
            label={t('outside.source')}
            hint={t('outside.source.hint')}
            error={errorOf('source')}
          >
            <Input value={source} maxLength={100} onChange={(e) => setSource(e.target.value)} />
          </Field>
          <div className="grid grid-cols-2 gap-3">
            <Field label={t('outside.limit.kw')} error={errorOf('limit_w')}>
              <Input
                inputMode="decimal"
                autoComplete="off"
                value={limit}
                onChange={(e) => setLimit(e.target.value)}
              />
            </Field>
            <Field label={t('override.for')}>
              <Select value={hours} onChange={(e) => setHours(Number(e.target.value))}>
                {[1, 2, 4, 8, 24].map((each) => (
                  <option key={each} value={each}>
                    {t('hours', { count: each })}
                  </option>
                ))}
                <option value={0}>{t('outside.endless')}</option>
              </Select>
            </Field>
          </div>
          <Field label={t('override.what')} error={errorOf('node_id')}>
            <Select value={node} onChange={(e) => setNode(e.target.value)}>
              <option value="">{t('outside.connection')}</option>
              {(tree.data?.tree.nodes ?? [])
                .filter((each) => each.parent_id)
                .map((each) => (
                  <option key={each.id} value={each.id}>
                    {(each.name ?? '') || each.id}
                  </option>
                ))}
            </Select>
          </Field>
          <Field label={t('override.reason')} error={errorOf('reason')}>
            <Input value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} />
          </Field>
        </>
      )}
    </FormDialog>
  );
}
