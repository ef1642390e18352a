// For which stations lists of tokens are kept: by default, everywhere, at a site, of a station.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, MinusCircle, Plus, ScrollText } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useMay, useMe } from '@/api/me';
import { sitesQuery } from '@/api/queries';
import { number } from '@/i18n/quantity';
import { useStations } from '@/live/hooks';
import { AskFirst } from '@/ui/ask-first';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { Ago } from '@/ui/live';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { removeRule, rulesQuery } from './questions';
import { changeWords, RuleForm } from './rule-form';
import { changedBy, decidedBy, type Rule } from './standing';
import { t } from './text';

type Asked = { act: 'set'; rule: Rule | null } | { act: 'remove'; rule: Rule } | null;

function Kept({ kept }: { kept: boolean }) {
  const Icon = kept ? CircleCheck : MinusCircle;
  return (
    <span className="inline-flex items-center gap-1.5 align-middle whitespace-nowrap">
      <Icon aria-hidden size={14} className={kept ? 'text-good' : 'text-faint'} />
      {t(kept ? 'kept.yes' : 'kept.no')}
    </span>
  );
}

export function ListRules({ onNote }: { onNote: (note: string) => void }) {
  const may = useMay('change_tokens');
  const isLimited = useMe().sites !== null;
  const query = useQuery(rulesQuery);
  const sites = useQuery(sitesQuery);
  const stations = useStations(5000);
  const [asked, setAsked] = useState<Asked>(null);
  useEffect(() => onNote(''), [onNote]);
  const rules = query.data?.items ?? [];
  const keptByDefault = query.data?.kept_by_default ?? true;
  const nameOf = (rule: Rule): string => {
    if (rule.station_id !== null) return rule.station_id;
    if (rule.site_id === null) return t('place.all');
    return sites.data?.items.find((site) => site.id === rule.site_id)?.name ?? rule.site_id;
  };
  const kindOf = (rule: Rule) =>
    t(rule.station_id !== null ? 'kind.station' : rule.site_id !== null ? 'kind.site' : 'kind.all');
  const decides = (rule: Rule) => decidedBy(rule, stations, rules, keptByDefault);
  // Who sees some sites only may not decide for all.
  const mayChange = (rule: Rule) =>
    may && (!isLimited || rule.station_id !== null || rule.site_id !== null);
  const columns: Column<Rule>[] = [
    {
      id: 'place',
      header: t('column.place'),
      width: 'minmax(160px, 1.5fr)',
      text: nameOf,
      cell: (rule) => <PlaceLink rule={rule} name={nameOf(rule)} />,
    },
    {
      id: 'kind',
      header: t('column.kind'),
      width: '90px',
      text: kindOf,
      cell: (rule) => <span className="text-muted">{kindOf(rule)}</span>,
    },
    {
      id: 'kept',
      header: t('column.kept'),
      width: '150px',
      text: (rule) => t(rule.kept ? 'kept.yes' : 'kept.no'),
      cell: (rule) => <Kept kept={rule.kept} />,
    },
    {
      id: 'decides',
      header: t('column.decides'),
      width: '110px',
      align: 'right',
      text: decides,
      cell: (rule) => number(decides(rule)),
    },
    {
      id: 'by',
      header: t('column.by'),
      width: 'minmax(160px, 1.5fr)',
      text: (rule) => rule.changed_by,
      cell: (rule) => <span className="text-muted">{rule.changed_by}</span>,
    },
    {
      id: 'at',
      header: t('column.at'),
      width: '110px',
      align: 'right',
      text: (rule) => rule.changed_at,
      cell: (rule) => (
        <span className="text-muted">
          <Ago at={rule.changed_at} />
        </span>
      ),
    },
    {
      id: 'act',
      header: '',
      width: '170px',
      align: 'right',
      cell: (rule) =>
        mayChange(rule) && (
          <span className="inline-flex gap-1.5">
            <Button
              small
              aria-label={t('rule.change.of', { place: nameOf(rule) })}
              onClick={() => setAsked({ act: 'set', rule })}
            >
              {t('rule.change')}
            </Button>
            <Button
              small
              aria-label={t('rule.remove.of', { place: nameOf(rule) })}
              onClick={() => setAsked({ act: 'remove', rule })}
            >
              {t('rule.remove.short')}
            </Button>
          </span>
        ),
    },
  ];
  const add = () => setAsked({ act: 'set', rule: null });
  return (
    <>
      <div className="px-4 pt-3 pb-1">
        <p>{query.data && t(keptByDefault ? 'default.kept' : 'default.left')}</p>
        <p className="text-muted">{t('rules.hint')}</p>
      </div>
      <QueryTable
        query={query}
        label={t('rules')}
        columns={columns}
        rowKey={(rule) => `${rule.site_id ?? ''} ${rule.station_id ?? ''}`}
        rowHeight={40}
        name="local-list-rules"
        search
        actions={
          may && (
            <Button look="primary" icon={Plus} onClick={add}>
              {t('rule.add')}
            </Button>
          )
        }
        phoneRow={(rule) => (
          <div className="flex items-center gap-2">
            <div className="min-w-0 flex-1">
              <p className="truncate">
                <PlaceLink rule={rule} name={nameOf(rule)} />
              </p>
              <p className="truncate text-xs text-muted">
                {t(rule.kept ? 'kept.yes' : 'kept.no')} ·{' '}
                {t('stations.count', { count: decides(rule) })}
              </p>
            </div>
            {columns.at(-1)?.cell(rule)}
          </div>
        )}
        empty={
          <EmptyState
            icon={ScrollText}
            title={t('rules.none')}
            action={may && <Button onClick={add}>{t('rule.add')}</Button>}
          >
            {t(keptByDefault ? 'rules.none.kept' : 'rules.none.left')}
          </EmptyState>
        }
      />
      {asked?.act === 'set' && (
        <RuleForm
          rule={asked.rule}
          rules={rules}
          keptByDefault={keptByDefault}
          onClose={() => setAsked(null)}
        />
      )}
      {asked?.act === 'remove' && (
        <AskFirst
          wish={{
            title: t('rule.remove.title', { place: nameOf(asked.rule) }),
            consequence: changeWords(changedBy(asked.rule, null, stations, rules, keptByDefault)),
            action: t('rule.remove'),
            destructive: false,
            run: () => removeRule(asked.rule),
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function PlaceLink({ rule, name }: { rule: Rule; name: string }) {
  if (rule.station_id !== null) {
    return (
      <Link
        to="/stations/$stationId"
        params={{ stationId: rule.station_id }}
        search={{ tab: 'local-list' }}
        className="font-medium hover:underline"
      >
        {name}
      </Link>
    );
  }
  if (rule.site_id !== null) {
    return (
      <Link
        to="/sites/$siteId"
        params={{ siteId: rule.site_id }}
        className="font-medium hover:underline"
      >
        {name}
      </Link>
    );
  }
  return <span className="font-medium">{name}</span>;
}
