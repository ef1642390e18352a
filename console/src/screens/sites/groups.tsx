import { useQuery } from '@tanstack/react-query';
import { Group as GroupIcon, Pencil, Plus, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { queries } from '@/api/queries';
import { day, number } from '@/i18n/quantity';
import { useStations } from '@/live/hooks';
import { AskFirst } from '@/ui/ask-first';
import { Button, IconButton } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { Field, Input, SearchField } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { QueryTable } from '@/ui/query-table';
import { EmptyState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { t } from './text';

type Group = Schemas['Group'];

const groupsQuery = {
  queryKey: ['groups'],
  queryFn: () =>
    allPages((cursor) =>
      data(api.GET('/api/v1/groups', { params: { query: { limit: 1000, cursor } } })),
    ),
};

export function Groups() {
  const groups = useQuery(groupsQuery);
  const mayChange = useMay('change_stations');
  const [editing, setEditing] = useState<Group | 'new' | null>(null);
  const [removing, setRemoving] = useState<Group | null>(null);
  const columns = useMemo(() => columnsWith(mayChange, setEditing, setRemoving), [mayChange]);
  return (
    <>
      <QueryTable
        query={groups}
        label={t('tab.groups')}
        hint={t('group.hint')}
        columns={columns}
        rowKey={(group) => group.id}
        name="groups"
        search
        actions={
          mayChange && (
            <Button look="primary" icon={Plus} onClick={() => setEditing('new')}>
              {t('group.add')}
            </Button>
          )
        }
        phoneRow={(group) => (
          <div className="flex items-center gap-2">
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">{group.name}</p>
              <p className="truncate text-xs text-muted">
                {[t('stations', { count: group.stations }), group.note].filter(Boolean).join(' · ')}
              </p>
            </div>
            {mayChange && (
              <IconButton
                icon={Pencil}
                label={t('group.edit', { name: group.name })}
                onClick={() => setEditing(group)}
              />
            )}
          </div>
        )}
        empty={
          <EmptyState icon={GroupIcon} title={t('group.empty')}>
            {t('group.empty.hint')}
          </EmptyState>
        }
      />
      {editing && (
        <GroupForm group={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
      {removing && (
        <AskFirst
          wish={{
            title: t('group.remove.title', { name: removing.name }),
            consequence: t('group.remove.consequence', { count: removing.stations }),
            action: t('group.remove.act'),
            done: t('removed', { name: removing.name }),
            run: () =>
              api
                .DELETE('/api/v1/groups/{group_id}', {
                  params: { path: { group_id: removing.id } },
                })
                .then(changed),
          }}
          onClose={() => setRemoving(null)}
        />
      )}
    </>
  );
}

function columnsWith(
  mayChange: boolean,
  onEdit: (group: Group) => void,
  onRemove: (group: Group) => void,
): Column<Group>[] {
  const columns: Column<Group>[] = [
    {
      id: 'name',
      header: t('column.name'),
      width: 'minmax(180px, 1fr)',
      text: (group) => group.name,
      cell: (group) => <span className="font-medium">{group.name}</span>,
    },
    {
      id: 'note',
      header: t('group.note'),
      width: 'minmax(180px, 2fr)',
      text: (group) => group.note,
      cell: (group) => <span className="text-muted">{group.note}</span>,
    },
    {
      id: 'stations',
      header: t('column.stations'),
      width: '100px',
      align: 'right',
      text: (group) => group.stations,
      cell: (group) => number(group.stations),
    },
    {
      id: 'created',
      header: t('group.created'),
      width: '130px',
      align: 'right',
      text: (group) => group.created_at,
      cell: (group) => <span className="text-muted">{day(group.created_at)}</span>,
    },
  ];
  if (mayChange) {
    columns.push({
      id: 'act',
      header: '',
      width: '84px',
      align: 'right',
      cell: (group) => (
        <>
          <IconButton
            icon={Pencil}
            className="!size-7"
            label={t('group.edit', { name: group.name })}
            onClick={() => onEdit(group)}
          />
          <IconButton
            icon={Trash2}
            className="!size-7"
            label={t('group.remove', { name: group.name })}
            onClick={() => onRemove(group)}
          />
        </>
      ),
    });
  }
  return columns;
}

async function changed(): Promise<void> {
  await queries.invalidateQueries({ queryKey: ['groups'] });
  void queries.invalidateQueries({ queryKey: ['group-members'] });
}

function GroupForm({ group, onClose }: { group: Group | null; onClose: () => void }) {
  const [name, setName] = useState(group?.name ?? '');
  const [note, setNote] = useState(group?.note ?? '');
  const members = useQuery({
    queryKey: ['group-members', group?.id ?? ''],
    queryFn: () => membersOf(group?.id ?? ''),
    enabled: group !== null,
    staleTime: 0,
  });
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  const before = useMemo(() => new Set(members.data), [members.data]);
  const now = chosen ?? before;
  const submit = async () => {
    const body = { name: name.trim(), note: note.trim() };
    const saved = group
      ? await data(
          api.PATCH('/api/v1/groups/{group_id}', {
            params: { path: { group_id: group.id } },
            body,
          }),
        )
      : await data(api.POST('/api/v1/groups', { body }));
    const add = [...now].filter((each) => !before.has(each));
    const remove = [...before].filter((each) => !now.has(each));
    if (add.length + remove.length > 0) {
      await api.POST('/api/v1/groups/{group_id}/stations', {
        params: { path: { group_id: saved.id } },
        body: { add, remove },
      });
    }
    await changed();
    toast('good', t('saved', { name: body.name }));
    onClose();
  };
  return (
    <FormDialog
      title={group ? t('group.edit', { name: group.name }) : t('group.add')}
      action={group ? t('save') : t('group.add')}
      onClose={onClose}
      onSubmit={submit}
      disabled={!name.trim() || (group !== null && !members.data)}
    >
      {(errorOf) => (
        <>
          <Field label={t('column.name')} error={errorOf('name')}>
            <Input
              value={name}
              onChange={(event) => setName(event.target.value)}
              required
              maxLength={200}
            />
          </Field>
          <Field label={t('group.note')} error={errorOf('note')}>
            <Input value={note} onChange={(event) => setNote(event.target.value)} maxLength={400} />
          </Field>
          {group && members.isPending ? (
            <LoadingRows rows={4} />
          ) : (
            <StationPicker chosen={now} onChosen={setChosen} />
          )}
        </>
      )}
    </FormDialog>
  );
}

async function membersOf(groupId: string): Promise<string[]> {
  const found = await allPages((cursor) =>
    data(
      api.GET('/api/v1/stations', {
        params: { query: { group_id: groupId, limit: 1000, cursor } },
      }),
    ),
  );
  return found.items.map((each) => each.id);
}

const PICKER_SHOWN = 200;

function StationPicker({
  chosen,
  onChosen,
}: {
  chosen: ReadonlySet<string>;
  onChosen: (chosen: ReadonlySet<string>) => void;
}) {
  const stations = useStations(5000);
  const [filter, setFilter] = useState('');
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = stations
    .filter((station) => {
      const text = `${station.id} ${station.name} ${station.site ?? ''}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => Number(chosen.has(b.id)) - Number(chosen.has(a.id)) || (a.id < b.id ? -1 : 1));
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChosen(next);
  };
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="pb-1 text-xs font-medium text-muted">
        {t('group.members', { count: chosen.size })}
      </legend>
      <SearchField label={t('group.find')} value={filter} onValue={setFilter} />
      <div
        role="region"
        aria-label={t('group.members', { count: chosen.size })}
        tabIndex={0}
        className="h-52 overflow-y-auto rounded-md border border-line px-2.5 py-1"
      >
        {found.slice(0, PICKER_SHOWN).map((station) => (
          <label key={station.id} className="flex min-h-7 items-center gap-2">
            <input
              type="checkbox"
              className="size-4 shrink-0 accent-[var(--accent)]"
              checked={chosen.has(station.id)}
              onChange={() => toggle(station.id)}
            />
            <span className="truncate">{station.name || station.id}</span>
            <span className="ml-auto truncate text-xs text-muted">{station.site}</span>
          </label>
        ))}
        {found.length > PICKER_SHOWN && (
          <p className="py-1 text-xs text-muted">
            {t('group.more', { count: found.length - PICKER_SHOWN })}
          </p>
        )}
      </div>
    </fieldset>
  );
}
