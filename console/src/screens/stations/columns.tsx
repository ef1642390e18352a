import { Link } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { NOTHING, power } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import { statusOf, urgency } from '@/live/status';
import type { LiveStation } from '@/live/types';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { Ago, Figure, Flash } from '@/ui/live';
import { StatusBadge, StatusIcon, statusWord } from '@/ui/status';
import type { AdmissionWish } from './newcomers';
import { t } from './text';

/** Draws a cell anew when its station changes, four times a second at most; the list itself is calmer. */
function Live({ id, children }: { id: string; children: (station: LiveStation) => ReactNode }) {
  const station = useStation(id);
  return station ? children(station) : NOTHING;
}

function EvseMarks({ station }: { station: LiveStation }) {
  return (
    <span className="inline-flex items-center gap-1 align-middle">
      {station.evses.slice(0, 6).map((evse) => {
        const word = station.connected ? evse.status : 'offline';
        return (
          <span key={evse.id} title={`${evse.id}: ${statusWord(word)}`} className="inline-flex">
            <StatusIcon status={statusOf(word)} size={12} />
          </span>
        );
      })}
      {station.evses.length > 6 && (
        <span className="text-xs text-muted">+{station.evses.length - 6}</span>
      )}
      <span className="sr-only">{station.evses.length}</span>
    </span>
  );
}

const name = (station: LiveStation) => station.name || station.id;

const COLUMNS: Column<LiveStation>[] = [
  {
    id: 'name',
    header: t('column.station'),
    width: 'minmax(200px, 2fr)',
    sort: name,
    cell: (station) => (
      <>
        <Link
          to="/stations/$stationId"
          params={{ stationId: station.id }}
          className="font-medium hover:underline"
        >
          {name(station)}
        </Link>
        {station.name && <span className="ml-2 text-xs text-muted">{station.id}</span>}
      </>
    ),
  },
  {
    id: 'triage',
    header: t('column.status'),
    width: '128px',
    sort: (station) => urgency(station.status),
    cell: ({ id }) => (
      <Live id={id}>
        {(station) => (
          <Flash value={station.status} className="-ml-1 px-1 py-0.5">
            <StatusBadge word={station.status} />
          </Flash>
        )}
      </Live>
    ),
  },
  {
    id: 'evses',
    header: t('column.evses'),
    width: '96px',
    cell: ({ id }) => <Live id={id}>{(station) => <EvseMarks station={station} />}</Live>,
  },
  {
    id: 'power',
    header: t('column.power'),
    width: '100px',
    align: 'right',
    sort: (station) => station.power_w,
    descendingFirst: true,
    cell: ({ id }) => (
      <Live id={id}>
        {(station) =>
          station.power_w > 0 ? (
            <Flash value={station.power_w} className="-mr-1 px-1 py-0.5">
              <Figure quantity={power(station.power_w)} />
            </Flash>
          ) : (
            <span className="text-muted">{NOTHING}</span>
          )
        }
      </Live>
    ),
  },
  {
    id: 'site',
    header: t('column.site'),
    width: 'minmax(130px, 1.2fr)',
    sort: (station) => station.site ?? '',
    cell: (station) => station.site ?? <span className="text-muted">{NOTHING}</span>,
  },
  {
    id: 'model',
    header: t('column.model'),
    width: 'minmax(140px, 1.2fr)',
    sort: (station) => `${station.vendor} ${station.model}`,
    cell: (station) => (
      <span className="text-muted">
        {[station.vendor, station.model].filter(Boolean).join(' ') || NOTHING}
      </span>
    ),
  },
  {
    id: 'firmware',
    header: t('column.firmware'),
    width: '112px',
    sort: (station) => station.firmware_version,
    cell: (station) => <span className="text-muted">{station.firmware_version || NOTHING}</span>,
  },
  {
    id: 'ocpp',
    header: t('column.ocpp'),
    width: '64px',
    cell: (station) => (
      <span className="text-muted tabular">{station.ocpp_version ?? NOTHING}</span>
    ),
  },
  {
    id: 'seen',
    header: t('column.seen'),
    width: '76px',
    align: 'right',
    sort: (station) => station.last_seen_at ?? '',
    cell: ({ id }) => (
      <Live id={id}>
        {(station) =>
          station.connected ? (
            <span className="text-muted">{t('seen.now')}</span>
          ) : (
            <Ago at={station.last_seen_at} short />
          )
        }
      </Live>
    ),
  },
];

/** The columns; with `onAdmission` those for newcomers, who can be admitted or rejected. */
export function useColumns(onAdmission?: (wish: AdmissionWish) => void): Column<LiveStation>[] {
  return useMemo(() => {
    if (!onAdmission) return COLUMNS;
    const act: Column<LiveStation> = {
      id: 'admission',
      header: t('filter.pending'),
      headerHidden: true,
      width: '170px',
      align: 'right',
      cell: (station) => (
        <span className="inline-flex gap-1.5">
          <Button small onClick={() => onAdmission({ station, admit: false })}>
            {t('reject')}
          </Button>
          <Button small look="primary" onClick={() => onAdmission({ station, admit: true })}>
            {t('admit')}
          </Button>
        </span>
      ),
    };
    const kept = ['name', 'triage', 'model', 'firmware', 'ocpp', 'seen'];
    return [...COLUMNS.filter((column) => kept.includes(column.id)), act];
  }, [onAdmission]);
}
