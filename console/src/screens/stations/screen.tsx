import { useNavigate } from '@tanstack/react-router';
import { Download, PlugZap, Plus, ShieldQuestion } from 'lucide-react';
import { useDeferredValue, useMemo, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { useMay } from '@/api/me';
import { sitesQuery } from '@/api/queries';
import { CommandDialog, type Wish } from '@/commands/dialogs';
import { number } from '@/i18n/quantity';
import { useLive, useStations } from '@/live/hooks';
import { STATUSES, type Status } from '@/live/status';
import type { LiveStation } from '@/live/types';
import { Button, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { fileName, saveFile, toCsv } from '@/ui/csv';
import { DataTable, type Sorting } from '@/ui/data-table';
import { SearchField, Select } from '@/ui/fields';
import { PageBody, PageHeader } from '@/ui/page';
import { SavedViews } from '@/ui/saved-views';
import { EmptyState } from '@/ui/states';
import { StatusIcon } from '@/ui/status';
import { tUi } from '@/ui/text';
import { BulkBar } from './bulk-bar';
import { useColumns } from './columns';
import { findStations } from './filter';
import { AdmissionDialog, type AdmissionWish } from './newcomers';
import { SORTS, stationsRoute, type StationsSearch } from './route';
import { StationLine } from './station-line';
import { t } from './text';

export function Stations() {
  const search = stationsRoute.useSearch();
  const navigate = useNavigate({ from: '/stations' });
  const stations = useStations(1000);
  const ready = useLive((store) => store.ready);
  const wanted = useDeferredValue(search);
  const found = useMemo(() => findStations(stations, wanted), [stations, wanted]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [wish, setWish] = useState<Wish | null>(null);
  const [admission, setAdmission] = useState<AdmissionWish | null>(null);
  const mayChange = useMay('change_stations');
  const mayCall = useMay('call_stations');

  const change = (next: Partial<StationsSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const columns = useColumns(search.pending === true && mayChange ? setAdmission : undefined);
  const sorting: Sorting = { column: search.sort ?? 'triage', descending: search.desc === true };
  const isFiltered = Boolean(search.q ?? search.status ?? search.site ?? search.pending);

  return (
    <>
      <PageHeader title={t('title')}>
        <span className="text-xs text-muted tabular max-sm:hidden" role="status">
          {t('shown', { shown: found.stations.length, total: stations.length })}
        </span>
      </PageHeader>
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <div className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-2">
            <SearchField
              label={t('search')}
              value={search.q ?? ''}
              onValue={(q) => change({ q: q || undefined })}
              shortcut="/"
              className="w-72 max-sm:w-full"
            />
            <SiteFilter value={search.site} onValue={(site) => change({ site })} />
            <div className="ml-auto flex items-center gap-2">
              <SavedViews screen="stations" />
              <IconButton
                icon={Download}
                label={tUi('csv')}
                onClick={() => saveFile(fileName('stations'), csvOf(found.stations))}
              />
              {mayChange && (
                <Button
                  look="primary"
                  icon={Plus}
                  onClick={() => void navigate({ to: '/onboarding' })}
                >
                  {t('add')}
                </Button>
              )}
            </div>
          </div>
          <Chips search={search} counts={found.counts} pending={found.pending} onChange={change} />
          {selected.size > 0 && (
            <BulkBar
              count={selected.size}
              onClear={() => setSelected(new Set())}
              onAct={(act) => setWish({ act, stations: [...selected].sort() })}
            />
          )}
          <DataTable
            label={t('table')}
            rows={found.stations}
            rowKey={stationId}
            columns={columns}
            sorting={sorting}
            onSort={(next) =>
              change({
                sort: SORTS.find((each) => each === next.column && each !== 'triage'),
                desc: next.descending || undefined,
              })
            }
            {...(mayCall ? { selected, onSelect: setSelected } : {})}
            onOpen={(station) =>
              void navigate({ to: '/stations/$stationId', params: { stationId: station.id } })
            }
            phoneRow={(station) => <StationLine id={station.id} />}
            freeze
            asked={wanted}
            loading={!ready}
            className="border-t border-line"
            empty={
              isFiltered ? (
                <EmptyState
                  icon={PlugZap}
                  title={t('none')}
                  action={
                    <Button onClick={() => void navigate({ search: {} })}>{t('none.clear')}</Button>
                  }
                >
                  {t('none.hint')}
                </EmptyState>
              ) : (
                <EmptyState
                  icon={PlugZap}
                  title={t('empty')}
                  action={
                    mayChange && (
                      <Button
                        look="primary"
                        icon={Plus}
                        onClick={() => void navigate({ to: '/onboarding' })}
                      >
                        {t('add')}
                      </Button>
                    )
                  }
                >
                  {t('empty.hint')}
                </EmptyState>
              )
            }
          />
        </div>
      </PageBody>
      <CommandDialog wish={wish} onClose={() => setWish(null)} />
      <AdmissionDialog wish={admission} onClose={() => setAdmission(null)} />
    </>
  );
}

const stationId = (station: LiveStation) => station.id;

function SiteFilter({
  value,
  onValue,
}: {
  value: string | undefined;
  onValue: (value: string | undefined) => void;
}) {
  const sites = useQuery(sitesQuery);
  if (!sites.data || sites.data.items.length === 0) return null;
  return (
    <Select
      aria-label={t('site.label')}
      value={value ?? ''}
      onChange={(event) => onValue(event.target.value || undefined)}
      className="!w-44 max-sm:!w-28 max-sm:flex-1"
    >
      <option value="">{t('site.any')}</option>
      {sites.data.items.map((site) => (
        <option key={site.id} value={site.id}>
          {site.name}
        </option>
      ))}
    </Select>
  );
}

function Chips({
  search,
  counts,
  pending,
  onChange,
}: {
  search: StationsSearch;
  counts: Record<Status, number>;
  pending: number;
  onChange: (next: Partial<StationsSearch>) => void;
}) {
  const chosen = new Set(search.status);
  const toggle = (status: Status) => {
    const next = new Set(chosen);
    if (!next.delete(status)) next.add(status);
    onChange({ status: next.size > 0 ? STATUSES.filter((each) => next.has(each)) : undefined });
  };
  return (
    <div role="group" aria-label={t('filter')} className="flex gap-1.5 overflow-x-auto px-4 pb-3">
      {STATUSES.map((status) => (
        <Chip
          key={status}
          pressed={chosen.has(status)}
          dim={counts[status] === 0}
          onClick={() => toggle(status)}
        >
          <StatusIcon status={status} size={12} />
          {tUi(`status.${status}`)}
          <span className="text-muted tabular">{number(counts[status])}</span>
        </Chip>
      ))}
      {(pending > 0 || search.pending) && (
        <Chip
          pressed={search.pending === true}
          onClick={() => onChange({ pending: search.pending ? undefined : true })}
        >
          <ShieldQuestion aria-hidden size={13} className="text-accent" />
          {t('filter.pending')}
          <span className="text-muted tabular">{number(pending)}</span>
        </Chip>
      )}
    </div>
  );
}

function Chip({
  pressed,
  dim = false,
  onClick,
  children,
}: {
  pressed: boolean;
  dim?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      onClick={onClick}
      className={classes(
        'inline-flex h-7 shrink-0 items-center gap-1.5 rounded-full border px-2.5 text-xs whitespace-nowrap focus-visible:-outline-offset-1',
        pressed ? 'border-accent bg-accent-soft' : 'border-line hover:bg-hover',
        dim && !pressed && 'text-muted',
      )}
    >
      {children}
    </button>
  );
}

function csvOf(stations: LiveStation[]): string {
  return toCsv(
    [
      'id',
      'name',
      'status',
      'site',
      'connected',
      'power_w',
      'vendor',
      'model',
      'firmware_version',
      'ocpp_version',
      'last_seen_at',
      'tags',
    ],
    stations.map((station) => [
      station.id,
      station.name,
      station.status,
      station.site,
      station.connected,
      station.power_w,
      station.vendor,
      station.model,
      station.firmware_version,
      station.ocpp_version,
      station.last_seen_at,
      station.tags.join(' '),
    ]),
  );
}
