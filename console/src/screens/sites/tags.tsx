import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Tag } from 'lucide-react';
import { useMemo } from 'react';
import { sitesQuery } from '@/api/queries';
import { number } from '@/i18n/quantity';
import { useStations } from '@/live/hooks';
import type { Column } from '@/ui/data-table';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { t } from './text';

interface Row {
  tag: string;
  stations: number;
  sites: number;
}

const COLUMNS: Column<Row>[] = [
  {
    id: 'tag',
    header: t('tag.label'),
    width: 'minmax(160px, 1fr)',
    text: (row) => row.tag,
    cell: (row) => <span className="font-medium">{row.tag}</span>,
  },
  {
    id: 'sites',
    header: t('tab.sites'),
    width: '120px',
    align: 'right',
    text: (row) => row.sites,
    cell: (row) =>
      row.sites > 0 ? (
        <Link to="/sites" search={{ tag: row.tag }} className="hover:underline">
          {number(row.sites)}
        </Link>
      ) : (
        <span className="text-muted">0</span>
      ),
  },
  {
    id: 'stations',
    header: t('column.stations'),
    width: '120px',
    align: 'right',
    text: (row) => row.stations,
    cell: (row) =>
      row.stations > 0 ? (
        <Link to="/stations" search={{ q: row.tag }} className="hover:underline">
          {number(row.stations)}
        </Link>
      ) : (
        <span className="text-muted">0</span>
      ),
  },
];

/** The words on sites and stations, with how many bear each. */
export function TagList() {
  const sites = useQuery(sitesQuery);
  const stations = useStations(5000);
  const rows = useMemo(() => {
    const found = new Map<string, Row>();
    const row = (tag: string) => {
      const known = found.get(tag) ?? { tag, stations: 0, sites: 0 };
      found.set(tag, known);
      return known;
    };
    for (const site of sites.data?.items ?? []) site.tags.forEach((tag) => (row(tag).sites += 1));
    for (const station of stations) station.tags.forEach((tag) => (row(tag).stations += 1));
    return [...found.values()].sort((a, b) => a.tag.localeCompare(b.tag));
  }, [sites.data, stations]);
  return (
    <QueryTable
      query={{ ...sites, data: sites.data && { items: rows } }}
      label={t('tab.tags')}
      hint={t('tag.hint')}
      columns={COLUMNS}
      rowKey={(row) => row.tag}
      name="tags"
      search
      empty={
        <EmptyState icon={Tag} title={t('tag.empty')}>
          {t('tag.empty.hint')}
        </EmptyState>
      }
    />
  );
}
