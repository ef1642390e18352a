// What runs on a station, what it could run, and what was installed from here.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleArrowUp, HardDriveDownload } from 'lucide-react';
import { useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { behind, imageName, imagesQuery, isFor, type Image } from '@/api/firmware';
import { useMay } from '@/api/me';
import { stationQuery } from '@/api/queries';
import { giveCommand } from '@/commands/give';
import { absolute } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import type { LiveStation } from '@/live/types';
import { t } from '@/screens/firmware/text';
import { Became } from '@/screens/tasks/outcome';
import { ResultMark } from '@/screens/tasks/parts';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, Select } from '@/ui/fields';
import { Ago } from '@/ui/live';
import { QueryTable } from '@/ui/query-table';
import { EmptyState, LoadingRows } from '@/ui/states';

type Given = Schemas['StationCommand'];

const OPEN = ['queued', 'sent', 'accepted'];

/** The commands of one kind to a station, asked again while one of them runs. */
export function useCommands(stationId: string, command: string) {
  return useQuery({
    queryKey: ['station', stationId, 'commands', command],
    queryFn: () =>
      data(
        api.GET('/api/v1/stations/{station_id}/commands', {
          params: { path: { station_id: stationId }, query: { command, limit: 200 } },
        }),
      ),
    refetchInterval: (query) =>
      query.state.data?.items.some((each) => OPEN.includes(each.state)) ? 2500 : 20_000,
  });
}

export function StationFirmware({ stationId }: { stationId: string }) {
  const station = useStation(stationId);
  const may = useMay('call_stations');
  const [asked, setAsked] = useState(false);
  const details = useQuery({ ...stationQuery(stationId), refetchInterval: 10_000 });
  const images = useQuery(imagesQuery);
  const history = useCommands(stationId, 'update_firmware');
  if (!station) return <LoadingRows />;
  const known = (images.data?.items ?? []).filter((image) => image.uploaded_at);
  const newest = known.find((image) => isFor(image, station));
  const isBehind = newest !== undefined && behind(newest, [station]).length > 0;
  return (
    <>
      <div className="flex flex-wrap items-start gap-x-8 gap-y-2 border-b border-line px-4 py-3">
        <Fact name={t('installed')}>
          <span className="font-mono">{station.firmware_version || t('installed.none')}</span>
        </Fact>
        <Fact name={t('newest.here')}>
          {newest ? <span className="font-mono">{newest.version}</span> : t('newest.none')}
        </Fact>
        {details.data?.firmware_status && (
          <Fact name={t('reported')}>{details.data.firmware_status}</Fact>
        )}
        {details.data?.booted_at && (
          <Fact name={t('booted')}>
            <Ago at={details.data.booted_at} />
          </Fact>
        )}
        <div className="ml-auto flex items-center gap-3 self-center">
          {newest && !isBehind && (
            <span className="text-xs text-muted">{t('station.current')}</span>
          )}
          {may && (
            <Button
              look={isBehind ? 'primary' : 'plain'}
              icon={CircleArrowUp}
              disabled={known.length === 0}
              onClick={() => setAsked(true)}
            >
              {t('update.now')}
            </Button>
          )}
        </div>
      </div>
      <QueryTable
        query={history}
        label={t('history')}
        columns={columnsOf(known)}
        rowKey={(row) => String(row.number)}
        name={`firmware-${stationId}`}
        empty={
          <EmptyState icon={HardDriveDownload} title={t('history.none')}>
            {known.length === 0 ? t('update.no_images') : t('history.none.hint')}
          </EmptyState>
        }
      />
      {asked && <UpdateDialog station={station} images={known} onClose={() => setAsked(false)} />}
    </>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <p className="text-xs text-muted">{name}</p>
      <p>{children}</p>
    </div>
  );
}

function columnsOf(images: Image[]): Column<Given>[] {
  const what = (row: Given) => {
    const image = images.find((each) => each.id === row.parameters['image_id']);
    const place = row.parameters['location'];
    return image?.version ?? (typeof place === 'string' ? place : t('campaign.gone'));
  };
  return [
    {
      id: 'version',
      header: t('version.short'),
      width: 'minmax(130px, 1fr)',
      text: what,
      cell: (row) => (
        <Link
          to="/tasks/$taskId"
          params={{ taskId: row.task_id }}
          className="font-medium hover:underline"
        >
          {what(row)}
        </Link>
      ),
    },
    {
      id: 'result',
      header: t('result'),
      width: '140px',
      text: (row) => row.state,
      cell: (row) => <ResultMark state={row.state} />,
    },
    {
      id: 'detail',
      header: t('detail'),
      width: 'minmax(160px, 2fr)',
      text: (row) => [row.outcome, row.detail].filter(Boolean).join(' '),
      cell: (row) => (
        <span className="text-muted">
          <Became row={row} />
        </span>
      ),
    },
    {
      id: 'by',
      header: t('by'),
      width: 'minmax(120px, 1fr)',
      text: (row) => row.created_by,
      cell: (row) => <span className="text-muted">{row.created_by}</span>,
    },
    {
      id: 'at',
      header: t('when'),
      width: '110px',
      align: 'right',
      text: (row) => absolute(row.created_at),
      cell: (row) => <Ago at={row.created_at} />,
    },
  ];
}

function UpdateDialog({
  station,
  images,
  onClose,
}: {
  station: LiveStation;
  images: Image[];
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const fitting = images.filter((image) => isFor(image, station));
  const [chosen, setChosen] = useState(fitting[0]?.id ?? images[0]?.id ?? '');
  const other = !fitting.some((image) => image.id === chosen);
  const running = station.evses.filter((evse) => evse.session_id).length;
  const update = () => {
    void giveCommand(
      t('update.now'),
      { command: 'update_firmware', image_id: chosen, ...(other ? { any_make: true } : {}) },
      [station.id],
    ).finally(() => void queries.invalidateQueries({ queryKey: ['station', station.id] }));
    onClose();
  };
  return (
    <ConfirmDialog
      open
      destructive
      onOpenChange={(open) => !open && onClose()}
      title={t('update.to', { station: station.name || station.id })}
      action={t('update.now')}
      disabled={!chosen}
      consequence={`${t('update.consequence', { count: running })} ${station.connected ? '' : t('update.idle')}`}
      onConfirm={update}
    >
      <Field label={t('update.image')}>
        <Select value={chosen} onChange={(event) => setChosen(event.target.value)}>
          {[...fitting, ...images.filter((image) => !fitting.includes(image))].map((image) => (
            <option key={image.id} value={image.id}>
              {fitting.includes(image)
                ? imageName(image)
                : t('update.image.any', { name: imageName(image) })}
            </option>
          ))}
        </Select>
      </Field>
    </ConfirmDialog>
  );
}
