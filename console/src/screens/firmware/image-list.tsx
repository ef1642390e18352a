// The firmware that is kept here: what it is for, its file, its checksum and signature.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import {
  BadgeCheck,
  Download,
  Ellipsis,
  FileUp,
  HardDriveUpload,
  Pencil,
  Rocket,
  Trash2,
} from 'lucide-react';
import { useState } from 'react';
import { api } from '@/api/client';
import { useMay } from '@/api/me';
import { absolute, number } from '@/i18n/quantity';
import { AskFirst } from '@/ui/ask-first';
import { Button, IconButton } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { Field, TextArea } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { Ago } from '@/ui/live';
import { Menu, MenuDivider, MenuItem } from '@/ui/menu';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { AddFirmware } from './add-firmware';
import { imageName, imagesQuery, type Image } from '@/api/firmware';
import { t } from './text';

type Asked = { act: 'remove' | 'notes'; image: Image } | { act: 'add'; image: Image | null } | null;

const size = (bytes: number | null) =>
  bytes === null
    ? ''
    : bytes >= 1e6
      ? `${number(bytes / 1e6, 1)}\u00a0MB`
      : `${number(bytes / 1e3, 1)}\u00a0kB`;

export function Images() {
  const mayManage = useMay('manage_firmware');
  const [asked, setAsked] = useState<Asked>(null);
  const query = useQuery(imagesQuery);
  const queries = useQueryClient();
  const columns = useColumns(setAsked);
  const add = () => setAsked({ act: 'add', image: null });
  return (
    <>
      <QueryTable
        query={query}
        label={t('tab.images')}
        columns={columns}
        rowKey={(image) => image.id}
        rowHeight={48}
        name="firmware"
        search
        actions={
          mayManage && (
            <Button look="primary" icon={HardDriveUpload} onClick={add}>
              {t('add')}
            </Button>
          )
        }
        empty={
          <EmptyState
            icon={HardDriveUpload}
            title={t('images.none')}
            action={mayManage && <Button onClick={add}>{t('add')}</Button>}
          >
            {t('images.none.hint')}
          </EmptyState>
        }
      />
      {asked?.act === 'add' && <AddFirmware image={asked.image} onClose={() => setAsked(null)} />}
      {asked?.act === 'notes' && <Notes image={asked.image} onClose={() => setAsked(null)} />}
      {asked?.act === 'remove' && (
        <AskFirst
          wish={{
            title: t('remove.title', { name: imageName(asked.image) }),
            consequence: t('remove.consequence'),
            action: t('remove'),
            failed: t('refused'),
            run: () =>
              api
                .DELETE('/api/v1/firmware/{image_id}', {
                  params: { path: { image_id: asked.image.id } },
                })
                .then(() => queries.invalidateQueries({ queryKey: ['firmware'] })),
          }}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

function useColumns(onAsk: (asked: Asked) => void): Column<Image>[] {
  return [
    {
      id: 'version',
      header: t('firmware'),
      width: 'minmax(190px, 2fr)',
      text: imageName,
      cell: (image) => (
        <div className="leading-4">
          <div className="truncate font-medium">
            {[image.vendor, image.model || t('all_models')].join(' ')}
          </div>
          <div className="truncate font-mono text-xs text-muted">{image.version}</div>
        </div>
      ),
    },
    {
      id: 'file',
      header: t('file'),
      width: 'minmax(150px, 2fr)',
      text: (image) => image.file_name,
      cell: (image) => (
        <div className="leading-4">
          <div className="truncate">{image.file_name}</div>
          <div className="truncate text-xs text-muted tabular">
            {image.uploaded_at ? size(image.size_bytes) : t('file.missing')}
          </div>
        </div>
      ),
    },
    {
      id: 'sha256',
      header: 'SHA-256',
      width: '150px',
      text: (image) => image.sha256,
      cell: (image) => (
        <span className="font-mono text-xs text-muted" title={image.sha256 ?? undefined}>
          {image.sha256 ? `${image.sha256.slice(0, 16)}…` : '–'}
        </span>
      ),
    },
    {
      id: 'signed',
      header: t('signature'),
      width: '120px',
      text: (image) => t(image.signed ? 'signed' : 'unsigned'),
      cell: (image) =>
        image.signed ? (
          <span className="inline-flex items-center gap-1.5">
            <BadgeCheck aria-hidden size={15} className="text-good" />
            {t('signed')}
          </span>
        ) : (
          <span className="text-muted">{t('unsigned')}</span>
        ),
    },
    {
      id: 'notes',
      header: t('notes'),
      width: 'minmax(120px, 2fr)',
      text: (image) => image.notes,
      cell: (image) => (
        <span className="text-muted" title={image.notes}>
          {image.notes.split('\n')[0]}
        </span>
      ),
    },
    {
      id: 'added',
      header: t('added'),
      width: '110px',
      align: 'right',
      text: (image) => absolute(image.created_at),
      cell: (image) => (
        <span title={image.created_by}>
          <Ago at={image.created_at} />
        </span>
      ),
    },
    {
      id: 'act',
      header: '',
      width: '190px',
      align: 'right',
      cell: (image) => <Acts image={image} onAsk={onAsk} />,
    },
  ];
}

function Acts({ image, onAsk }: { image: Image; onAsk: (asked: Asked) => void }) {
  const mayManage = useMay('manage_firmware');
  const mayCall = useMay('call_stations');
  const navigate = useNavigate();
  return (
    <span className="inline-flex items-center gap-1">
      {image.uploaded_at
        ? mayCall && (
            <Button
              small
              icon={Rocket}
              aria-label={t('campaign.of', { name: imageName(image) })}
              onClick={() =>
                void navigate({
                  to: '/tasks/new',
                  search: {
                    command: 'update_firmware',
                    image: image.id,
                    q: [image.vendor, image.model].filter(Boolean).join(' '),
                  },
                })
              }
            >
              <span className="max-sm:sr-only">{t('campaign')}</span>
            </Button>
          )
        : mayManage && (
            <Button small icon={FileUp} onClick={() => onAsk({ act: 'add', image })}>
              {t('upload')}
            </Button>
          )}
      {mayManage && (
        <Menu
          trigger={
            <IconButton
              icon={Ellipsis}
              label={t('more', { name: imageName(image) })}
              className="!size-7"
            />
          }
        >
          {image.uploaded_at && (
            <MenuItem
              icon={Download}
              onSelect={() => location.assign(`/api/v1/firmware/${image.id}/content`)}
            >
              {t('download')}
            </MenuItem>
          )}
          <MenuItem icon={Pencil} onSelect={() => setTimeout(() => onAsk({ act: 'notes', image }))}>
            {t('notes.change')}
          </MenuItem>
          <MenuDivider />
          <MenuItem
            icon={Trash2}
            destructive
            onSelect={() => setTimeout(() => onAsk({ act: 'remove', image }))}
          >
            {t('remove')}
          </MenuItem>
        </Menu>
      )}
    </span>
  );
}

function Notes({ image, onClose }: { image: Image; onClose: () => void }) {
  const queries = useQueryClient();
  const [notes, setNotes] = useState(image.notes);
  return (
    <FormDialog
      title={t('notes.of', { name: imageName(image) })}
      action={t('notes.save')}
      onClose={onClose}
      onSubmit={async () => {
        await api.PATCH('/api/v1/firmware/{image_id}', {
          params: { path: { image_id: image.id } },
          body: { notes },
        });
        await queries.invalidateQueries({ queryKey: ['firmware'] });
        onClose();
      }}
    >
      {(errorOf) => (
        <Field label={t('notes')} error={errorOf('notes')}>
          <TextArea
            className="min-h-40"
            value={notes}
            onChange={(event) => setNotes(event.target.value)}
          />
        </Field>
      )}
    </FormDialog>
  );
}
