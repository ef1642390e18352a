// Which stations the command is for.
import { useMemo, useState } from 'react';
import { PlugZap } from 'lucide-react';
import { NOTHING } from '@/i18n/quantity';
import { useLive, useStations } from '@/live/hooks';
import type { LiveStation } from '@/live/types';
import { findStations } from '@/screens/stations/filter';
import { Button } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { Checkbox, SearchField } from '@/ui/fields';
import { Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { StatusBadge } from '@/ui/status';
import { t } from './text';

const COLUMNS: Column<LiveStation>[] = [
  {
    id: 'station',
    header: t('column.station'),
    width: 'minmax(150px, 2fr)',
    cell: (station) => (
      <>
        <span className="font-medium">{station.name || station.id}</span>
        {station.name && <span className="ml-2 text-xs text-muted">{station.id}</span>}
      </>
    ),
  },
  {
    id: 'status',
    header: t('column.status'),
    width: '128px',
    cell: (station) => <StatusBadge word={station.status} />,
  },
  {
    id: 'ocpp',
    header: t('column.ocpp'),
    width: '52px',
    cell: (station) => <span className="text-muted">{station.ocpp_version ?? NOTHING}</span>,
  },
];

export function ChooseStations({
  chosen,
  onChosen,
  first,
}: {
  chosen: ReadonlySet<string>;
  onChosen: (chosen: Set<string>) => void;
  /** What the list is filtered by at first. */
  first: string;
}) {
  const [q, setQ] = useState(first);
  const [online, setOnline] = useState(false);
  const all = useStations(500);
  const ready = useLive((store) => store.ready);
  const shown = useMemo(
    () =>
      findStations(all, { q, sort: 'name' }).stations.filter(
        (station) => !online || station.connected,
      ),
    [all, q, online],
  );
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChosen(next);
  };
  // The table's own "all" means what the filter shows; what was chosen before stays.
  const select = (next: Set<string>) => {
    if (next.size === 0) onChosen(new Set());
    else if (next.size === shown.length) onChosen(new Set([...chosen, ...next]));
    else onChosen(next);
  };
  return (
    <Panel
      flush
      title={t('stations')}
      note={t('stations.note', { selected: chosen.size, total: all.length })}
      className="h-[420px] overflow-hidden lg:h-auto lg:min-h-0"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pb-2">
        <SearchField
          label={t('stations.search')}
          value={q}
          onValue={setQ}
          shortcut="/"
          className="min-w-40 flex-1"
        />
        <Checkbox
          label={t('online')}
          checked={online}
          onChange={(event) => setOnline(event.target.checked)}
        />
      </div>
      <div className="flex items-center gap-2 px-4 pb-2">
        <Button
          small
          disabled={shown.length === 0}
          onClick={() => onChosen(new Set([...chosen, ...shown.map((station) => station.id)]))}
        >
          {t('stations.all', { count: shown.length })}
        </Button>
        <Button small look="quiet" disabled={chosen.size === 0} onClick={() => onChosen(new Set())}>
          {t('stations.clear')}
        </Button>
      </div>
      <DataTable
        label={t('stations.table')}
        rows={shown}
        rowKey={(station) => station.id}
        columns={COLUMNS}
        selected={chosen}
        onSelect={select}
        onOpen={(station) => toggle(station.id)}
        isOpen={(station) => chosen.has(station.id)}
        loading={!ready}
        className="border-t border-line"
        phoneRow={(station) => (
          <Checkbox
            label={
              <span>
                <span className="font-medium">{station.name || station.id}</span>{' '}
                <span className="text-xs text-muted">
                  {station.name && station.id} {station.ocpp_version}
                </span>
              </span>
            }
            checked={chosen.has(station.id)}
            onChange={() => toggle(station.id)}
          />
        )}
        empty={
          <EmptyState
            icon={PlugZap}
            title={t(all.length > 0 ? 'stations.none' : 'stations.empty')}
          />
        }
      />
    </Panel>
  );
}
