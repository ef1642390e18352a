// Where EVSEs hang and on which phases their own conductors are.
import { Plus, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useStations } from '@/live/hooks';
import { Button, IconButton } from '@/ui/button';
import { Select } from '@/ui/fields';
import { Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { nameOf } from './amounts';
import { Amount, type EvseGiven } from './parts';
import type { Tree, TreeProblem } from './questions';
import { t } from './text';

const ROTATIONS = ['RST', 'STR', 'TRS', 'RTS', 'SRT', 'TSR'] as const;
const PHASES = [1, 2, 3] as const;

const keyOf = (evse: EvseGiven) => `${evse.station_id}/${evse.evse_id ?? 1}`;

/** The EVSEs of the site's stations that hang nowhere yet. */
function useUnplaced(siteId: string, tree: Tree): { station_id: string; evse_id: number }[] {
  const stations = useStations(5000);
  return useMemo(() => {
    const placed = new Set((tree.evses ?? []).map(keyOf));
    return stations
      .filter((station) => station.site_id === siteId)
      .flatMap((station) =>
        station.evses.map((evse) => ({ station_id: station.id, evse_id: evse.id })),
      )
      .filter((evse) => !placed.has(keyOf({ ...evse, node_id: '' })));
  }, [stations, siteId, tree.evses]);
}

export function Evses({
  siteId,
  tree,
  at,
  onTree,
}: {
  siteId: string;
  tree: Tree;
  at: (where: string) => TreeProblem[];
  onTree: (tree: Tree) => void;
}) {
  const evses = tree.evses ?? [];
  const nodes = tree.nodes ?? [];
  const unplaced = useUnplaced(siteId, tree);
  const change = (evse: EvseGiven, fields: Partial<EvseGiven>) =>
    onTree({
      ...tree,
      evses: evses.map((each) => (each === evse ? { ...each, ...fields } : each)),
    });
  return (
    <Panel title={t('evses')} note={t('evses.note')} flush>
      {evses.length === 0 ? (
        <EmptyState title={t('edit.no.evses')}>{t('edit.no.evses.hint')}</EmptyState>
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {evses.map((evse) => (
            <li key={keyOf(evse)} className="px-4 py-2">
              <EvseFields
                evse={evse}
                tree={tree}
                onChange={(fields) => change(evse, fields)}
                onRemove={() => onTree({ ...tree, evses: evses.filter((each) => each !== evse) })}
              />
              {at(keyOf(evse)).map((problem) => (
                <p key={problem.code} role="alert" className="pt-1 text-xs text-danger">
                  {problem.message}
                </p>
              ))}
            </li>
          ))}
        </ul>
      )}
      <AddEvse
        unplaced={unplaced}
        onAdd={(evse) =>
          onTree({ ...tree, evses: [...evses, { ...evse, node_id: nodes[0]?.id ?? 'grid' }] })
        }
      />
    </Panel>
  );
}

function AddEvse({
  unplaced,
  onAdd,
}: {
  unplaced: { station_id: string; evse_id: number }[];
  onAdd: (evse: { station_id: string; evse_id: number }) => void;
}) {
  const [chosen, setChosen] = useState(0);
  if (unplaced.length === 0) return null;
  const index = Math.min(chosen, unplaced.length - 1);
  return (
    <div className="flex flex-wrap items-center gap-2 border-t border-line px-4 py-2">
      <div className="w-56">
        <Select
          aria-label={t('edit.unplaced')}
          value={index}
          onChange={(event) => setChosen(Number(event.target.value))}
        >
          {unplaced.map((evse, at) => (
            <option key={`${evse.station_id}/${evse.evse_id}`} value={at}>
              {evse.station_id}/{evse.evse_id}
            </option>
          ))}
        </Select>
      </div>
      <Button
        small
        icon={Plus}
        onClick={() => {
          const evse = unplaced[index];
          if (evse) onAdd(evse);
        }}
      >
        {t('edit.add.evse')}
      </Button>
      <span className="text-xs text-muted">
        {t('edit.unplaced.hint', { count: unplaced.length })}
      </span>
    </div>
  );
}

function EvseFields({
  evse,
  tree,
  onChange,
  onRemove,
}: {
  evse: EvseGiven;
  tree: Tree;
  onChange: (fields: Partial<EvseGiven>) => void;
  onRemove: () => void;
}) {
  const key = keyOf(evse);
  return (
    <div className="grid grid-cols-[minmax(110px,1.2fr)_repeat(3,minmax(100px,1fr))_repeat(3,minmax(72px,0.7fr))_32px] items-end gap-x-3 gap-y-2 max-lg:grid-cols-3 max-sm:grid-cols-2">
      <p className="flex h-8 min-w-0 items-center truncate font-medium">{key}</p>
      <Choice
        label={t('edit.node')}
        of={key}
        value={evse.node_id}
        choices={(tree.nodes ?? []).map((node) => [node.id, nameOf(node)])}
        onValue={(node_id) => onChange({ node_id })}
      />
      <Choice
        label={t('edit.rotation')}
        of={key}
        value={evse.phase_rotation ?? 'RST'}
        choices={ROTATIONS.map((each) => [each, t(`rotation.${each}`)])}
        onValue={(rotation) => onChange({ phase_rotation: rotation as (typeof ROTATIONS)[number] })}
      />
      <Choice
        label={t('edit.phases')}
        of={key}
        value={String(evse.number_phases ?? 3)}
        choices={PHASES.map((each) => [String(each), t('phases', { count: each })])}
        onValue={(count) => onChange({ number_phases: Number(count) as 1 | 2 | 3 })}
      />
      <Amount
        label={t('edit.min_a')}
        value={evse.min_a ?? 6}
        empty={6}
        onValue={(min) => onChange({ min_a: min ?? 6 })}
      />
      <Amount
        label={t('edit.max_a')}
        value={evse.max_a ?? 32}
        empty={32}
        onValue={(max) => onChange({ max_a: max ?? 32 })}
      />
      <Amount
        label={t('edit.priority')}
        value={evse.priority ?? 1}
        empty={1}
        onValue={(priority) => onChange({ priority: priority ?? 1 })}
      />
      <IconButton icon={Trash2} label={t('edit.remove.evse', { evse: key })} onClick={onRemove} />
    </div>
  );
}

function Choice({
  label,
  of,
  value,
  choices,
  onValue,
}: {
  label: string;
  of: string;
  value: string;
  choices: (readonly [string, string])[];
  onValue: (value: string) => void;
}) {
  const isKnown = choices.some(([id]) => id === value);
  return (
    <label className="relative flex min-w-0 flex-col gap-1">
      <span className="text-xs font-medium text-muted">
        {label} <span className="sr-only">{of}</span>
      </span>
      <Select value={value} onChange={(event) => onValue(event.target.value)}>
        {!isKnown && <option value={value}>{value}</option>}
        {choices.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
    </label>
  );
}
