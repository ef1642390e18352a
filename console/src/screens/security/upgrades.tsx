// Stations on their way to a safer profile, step by step.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ShieldPlus } from 'lucide-react';
import { useId, useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { useStations } from '@/live/hooks';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, Input, Select } from '@/ui/fields';
import { Ago } from '@/ui/live';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { toast } from '@/ui/toast';
import { StationLink } from './certificates';
import { t } from './text';

type Upgrade = Schemas['Upgrade'];

const COLUMNS: Column<Upgrade>[] = [
  {
    id: 'station',
    header: t('station'),
    width: 'minmax(140px, 1fr)',
    text: (row) => row.station_id,
    cell: (row) => <StationLink id={row.station_id} />,
  },
  {
    id: 'profile',
    header: t('profile'),
    width: '90px',
    text: (row) => row.security_profile,
    cell: (row) => t('profile.number', { number: row.security_profile }),
  },
  {
    id: 'step',
    header: t('step'),
    width: 'minmax(220px, 2fr)',
    text: (row) => t(`step.${row.step}`),
    cell: (row) => (
      <span className={row.step === 'failed' ? 'text-danger' : undefined}>
        {t(`step.${row.step}`)}
      </span>
    ),
  },
  {
    id: 'detail',
    header: t('detail'),
    width: 'minmax(160px, 2fr)',
    text: (row) => row.detail,
    cell: (row) => <span className="text-muted">{row.detail}</span>,
  },
  {
    id: 'at',
    header: t('since'),
    width: '110px',
    text: (row) => row.step_at,
    cell: (row) => <Ago at={row.step_at} />,
  },
  {
    id: 'task',
    header: '',
    width: '90px',
    align: 'right',
    cell: (row) =>
      row.task_id && (
        <Link
          to="/tasks/$taskId"
          params={{ taskId: row.task_id }}
          className="text-accent hover:underline"
        >
          {t('task')}
        </Link>
      ),
  },
];

export function Upgrades() {
  const may = useMay('change_stations');
  const queries = useQueryClient();
  const stations = useStations(5000);
  const list = useId();
  const [asking, setAsking] = useState(false);
  const [station, setStation] = useState('');
  const [profile, setProfile] = useState<2 | 3>(2);
  const query = useQuery({
    queryKey: ['security-upgrades'],
    queryFn: () => data(api.GET('/api/v1/security-upgrades')),
    refetchInterval: 3000,
  });
  const start = async () => {
    try {
      await api.POST('/api/v1/stations/{station_id}/security-upgrade', {
        params: { path: { station_id: station.trim() } },
        body: { security_profile: profile, url: '' },
      });
      setAsking(false);
      await queries.invalidateQueries({ queryKey: ['security-upgrades'] });
    } catch (fault) {
      toast('bad', t('refused'), fault instanceof Error ? fault.message : String(fault));
    }
  };
  return (
    <>
      <QueryTable
        query={query}
        label={t('tab.upgrades')}
        name="security-upgrades"
        search
        actions={
          may && (
            <Button icon={ShieldPlus} onClick={() => setAsking(true)}>
              {t('upgrade')}
            </Button>
          )
        }
        columns={COLUMNS}
        rowKey={(row) => `${row.station_id} ${row.started_at}`}
        empty={
          <EmptyState icon={ShieldPlus} title={t('upgrades.none')}>
            {t('upgrades.none.hint')}
          </EmptyState>
        }
      />
      {asking && (
        <ConfirmDialog
          open
          onOpenChange={setAsking}
          title={t('upgrade')}
          action={t('upgrade')}
          consequence={t('upgrade.consequence')}
          disabled={!station.trim()}
          onConfirm={() => void start()}
        >
          <Field label={t('station')}>
            <Input
              list={list}
              value={station}
              onChange={(event) => setStation(event.target.value)}
              autoComplete="off"
            />
          </Field>
          <datalist id={list}>
            {stations.map((each) => (
              <option key={each.id} value={each.id} />
            ))}
          </datalist>
          <Field label={t('profile')}>
            <Select
              value={profile}
              onChange={(event) => setProfile(event.target.value === '3' ? 3 : 2)}
            >
              <option value={2}>{t('profile.2')}</option>
              <option value={3}>{t('profile.3')}</option>
            </Select>
          </Field>
        </ConfirmDialog>
      )}
    </>
  );
}
