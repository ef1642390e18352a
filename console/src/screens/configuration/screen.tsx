import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { CheckCircle2, Layers, Trash2, Wrench } from 'lucide-react';
import { useState } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { AskFirst } from '@/ui/ask-first';
import { Button, IconButton } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { ConfirmDialog } from '@/ui/dialog';
import { Ago } from '@/ui/live';
import { PageBody, PageHeader } from '@/ui/page';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { TabLinks } from '@/ui/tabs';
import { toast } from '@/ui/toast';
import { configurationRoute } from './route';
import { AddTemplate } from './template';
import { t } from './text';

type Drifting = Schemas['DriftingStation'];
type Template = Schemas['Template'];

const TABS = [
  { id: 'drift', label: t('tab.drift') },
  { id: 'templates', label: t('tab.templates') },
];

export function Configuration() {
  const { tab } = configurationRoute.useSearch();
  const selected = tab === 'templates' ? 'templates' : 'drift';
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TabLinks tabs={TABS} selected={selected} label={t('tabs')} />
          {selected === 'drift' ? <DriftList /> : <Templates />}
        </div>
      </PageBody>
    </>
  );
}

function DriftList() {
  const may = useMay('call_stations');
  const navigate = useNavigate();
  const [asked, setAsked] = useState<string[] | null>(null);
  const query = useQuery({
    queryKey: ['drift'],
    queryFn: () =>
      allPages((cursor) =>
        data(api.GET('/api/v1/drift', { params: { query: { limit: 1000, cursor } } })),
      ),
    refetchInterval: 10_000,
  });
  const all = query.data?.items ?? [];
  const repair = async (stations: string[]) => {
    try {
      const made = await data(
        api.POST('/api/v1/drift/repair', { body: { stations, reset: 'never' } as never }),
      );
      void navigate({ to: '/tasks/$taskId', params: { taskId: made.task_id } });
    } catch (fault) {
      toast('bad', t('refused'), fault instanceof Error ? fault.message : String(fault));
      setAsked(null);
    }
  };
  const columns: Column<Drifting>[] = [
    {
      id: 'station',
      header: t('station'),
      width: 'minmax(140px, 1fr)',
      text: (row) => row.station_id,
      cell: (row) => (
        <Link
          to="/stations/$stationId"
          params={{ stationId: row.station_id }}
          className="font-medium hover:underline"
        >
          {row.station_id}
        </Link>
      ),
    },
    {
      id: 'model',
      header: t('model'),
      width: 'minmax(160px, 2fr)',
      text: (row) => [row.vendor, row.model, row.firmware_version].join(' '),
      cell: (row) => (
        <span className="text-muted">
          {row.vendor} {row.model} {row.firmware_version}
        </span>
      ),
    },
    {
      id: 'drifting',
      header: t('drifting'),
      width: '140px',
      align: 'right',
      text: (row) => row.drifting,
      cell: (row) => t('drifting.count', { count: row.drifting }),
    },
    {
      id: 'at',
      header: t('compared'),
      width: '130px',
      align: 'right',
      text: (row) => row.compared_at,
      cell: (row) => <Ago at={row.compared_at} />,
    },
    {
      id: 'act',
      header: '',
      width: '120px',
      align: 'right',
      cell: (row) =>
        may && (
          <Button small icon={Wrench} onClick={() => setAsked([row.station_id])}>
            {t('repair')}
          </Button>
        ),
    },
  ];
  return (
    <>
      <QueryTable
        query={query}
        label={t('tab.drift')}
        name="drift"
        search
        actions={
          may &&
          all.length > 1 && (
            <Button icon={Wrench} onClick={() => setAsked(all.map((row) => row.station_id))}>
              {t('repair.all', { count: all.length })}
            </Button>
          )
        }
        columns={columns}
        rowKey={(row) => row.station_id}
        rowHeight={40}
        empty={
          <EmptyState icon={CheckCircle2} title={t('drift.none')}>
            {t('drift.none.hint')}
          </EmptyState>
        }
      />
      {asked && (
        <ConfirmDialog
          open
          onOpenChange={(next) => !next && setAsked(null)}
          title={t('repair.all', { count: asked.length })}
          action={t('repair')}
          typed={asked.length > 10 ? String(asked.length) : undefined}
          consequence={t('repair.consequence')}
          onConfirm={() => void repair(asked)}
        />
      )}
    </>
  );
}

/** Whom a template is for, in words; what is more specific wins. */
function fits(row: Template): string {
  const make = [row.vendor, row.model, row.firmware_version].filter(Boolean).join(' ');
  if (row.station_id) return row.station_id;
  return make || t('fits.all');
}

const entriesOf = (row: Template): string =>
  row.entries.map((entry) => `${entry.name ?? entry.key ?? ''}=${entry.value}`).join(', ');

function Templates() {
  const may = useMay('manage_onboarding');
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Template | null>(null);
  const [adding, setAdding] = useState(false);
  const query = useQuery({
    queryKey: ['templates'],
    queryFn: () =>
      allPages((cursor) =>
        data(
          api.GET('/api/v1/configuration-templates', {
            params: { query: { limit: 1000, cursor } },
          }),
        ),
      ),
  });
  const columns: Column<Template>[] = [
    {
      id: 'name',
      header: t('name'),
      width: 'minmax(140px, 1fr)',
      text: (row) => row.name,
      cell: (row) => <span className="font-medium">{row.name || fits(row)}</span>,
    },
    {
      id: 'scope',
      header: t('scope'),
      width: '130px',
      text: (row) => t(`scope.${row.scope}`),
      cell: (row) => t(`scope.${row.scope}`),
    },
    { id: 'fits', header: t('fits'), width: 'minmax(140px, 1fr)', text: fits, cell: fits },
    {
      id: 'entries',
      header: t('entries'),
      width: 'minmax(220px, 3fr)',
      text: entriesOf,
      cell: (row) => {
        const text = entriesOf(row);
        return (
          <span className="text-muted" title={text}>
            {text}
          </span>
        );
      },
    },
    {
      id: 'act',
      header: '',
      width: '44px',
      align: 'right',
      cell: (row) =>
        may && (
          <IconButton
            icon={Trash2}
            label={t('remove', { name: row.name || fits(row) })}
            onClick={() => setAsked(row)}
            className="!size-7"
          />
        ),
    },
  ];
  return (
    <>
      <QueryTable
        query={query}
        label={t('tab.templates')}
        name="templates"
        search
        actions={
          may && (
            <Button look="primary" onClick={() => setAdding(true)}>
              {t('add')}
            </Button>
          )
        }
        columns={columns}
        rowKey={(row) => row.id}
        rowHeight={40}
        empty={
          <EmptyState icon={Layers} title={t('templates.none')}>
            {t('templates.none.hint')}
          </EmptyState>
        }
      />
      {adding && <AddTemplate onClose={() => setAdding(false)} />}
      {asked && (
        <AskFirst
          wish={{
            title: t('remove', { name: asked.name || fits(asked) }),
            consequence: t('remove.consequence'),
            action: t('remove.do'),
            failed: t('refused'),
            run: () =>
              api
                .DELETE('/api/v1/configuration-templates/{template_id}', {
                  params: { path: { template_id: asked.id } },
                })
                .then(() => queries.invalidateQueries({ queryKey: ['templates'] })),
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}
