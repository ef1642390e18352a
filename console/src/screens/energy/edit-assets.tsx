// Generators and batteries in the editor.
import { Plus, Trash2 } from 'lucide-react';
import type { Schemas } from '@/api/client';
import { Button, IconButton } from '@/ui/button';
import { Field, Select } from '@/ui/fields';
import { Panel } from '@/ui/page';
import { nameOf } from './amounts';
import { Amount, Words } from './parts';
import type { Tree, TreeProblem } from './questions';
import { t } from './text';

type Generator = Schemas['GeneratorGiven'];
type Battery = Schemas['BatteryGiven'];

const GRID = 'grid grid-cols-[repeat(auto-fill,minmax(140px,1fr))] items-start gap-3';

function freshId(stem: string, taken: { id: string }[]): string {
  const ids = new Set(taken.map((each) => each.id));
  let number = 1;
  while (ids.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

export function Assets({
  tree,
  at,
  onTree,
}: {
  tree: Tree;
  at: (where: string) => TreeProblem[];
  onTree: (tree: Tree) => void;
}) {
  const generators = tree.generators ?? [];
  const batteries = tree.batteries ?? [];
  const root = tree.nodes?.[0]?.id ?? 'grid';
  return (
    <Panel
      title={t('assets')}
      actions={
        <>
          <Button
            small
            icon={Plus}
            onClick={() =>
              onTree({
                ...tree,
                generators: [
                  ...generators,
                  { id: freshId('pv', generators), node_id: root, peak_w: 10_000 },
                ],
              })
            }
          >
            {t('edit.add.generator')}
          </Button>
          <Button
            small
            icon={Plus}
            onClick={() =>
              onTree({
                ...tree,
                batteries: [
                  ...batteries,
                  {
                    id: freshId('battery', batteries),
                    node_id: root,
                    capacity_wh: 20_000,
                    max_charge_w: 10_000,
                    max_discharge_w: 10_000,
                  },
                ],
              })
            }
          >
            {t('edit.add.battery')}
          </Button>
        </>
      }
    >
      {generators.length + batteries.length === 0 && (
        <p className="text-muted">{t('assets.none')}</p>
      )}
      <ul className="flex flex-col gap-4">
        {generators.map((each, index) => (
          <GeneratorForm
            key={`g${index}`}
            generator={each}
            tree={tree}
            problems={at(each.id)}
            onChange={(fields) =>
              onTree({
                ...tree,
                generators: generators.map((one) => (one === each ? { ...one, ...fields } : one)),
              })
            }
            onRemove={() =>
              onTree({ ...tree, generators: generators.filter((one) => one !== each) })
            }
          />
        ))}
        {batteries.map((each, index) => (
          <BatteryForm
            key={`b${index}`}
            battery={each}
            tree={tree}
            problems={at(each.id)}
            onChange={(fields) =>
              onTree({
                ...tree,
                batteries: batteries.map((one) => (one === each ? { ...one, ...fields } : one)),
              })
            }
            onRemove={() => onTree({ ...tree, batteries: batteries.filter((one) => one !== each) })}
          />
        ))}
      </ul>
    </Panel>
  );
}

function Head({ name, id, onRemove }: { name: string; id: string; onRemove: () => void }) {
  return (
    <div className="mb-1 flex items-center gap-2">
      <h3 className="flex-1 font-medium">
        {name} {name !== id && <span className="font-normal text-muted">{id}</span>}
      </h3>
      <IconButton icon={Trash2} label={t('edit.remove.asset', { id })} onClick={onRemove} />
    </div>
  );
}

function Faults({ problems }: { problems: TreeProblem[] }) {
  return problems.map((problem) => (
    <p key={problem.code} role="alert" className="pt-1 text-xs text-danger">
      {problem.message}
    </p>
  ));
}

function Place({
  tree,
  value,
  onValue,
}: {
  tree: Tree;
  value: string;
  onValue: (node: string) => void;
}) {
  return (
    <Field label={t('edit.node')}>
      <Select value={value} onChange={(event) => onValue(event.target.value)}>
        {(tree.nodes ?? []).map((node) => (
          <option key={node.id} value={node.id}>
            {nameOf(node)}
          </option>
        ))}
      </Select>
    </Field>
  );
}

function GeneratorForm({
  generator,
  tree,
  problems,
  onChange,
  onRemove,
}: {
  generator: Generator;
  tree: Tree;
  problems: TreeProblem[];
  onChange: (fields: Partial<Generator>) => void;
  onRemove: () => void;
}) {
  const kind = generator.kind ?? 'solar';
  return (
    <li>
      <Head name={nameOf(generator)} id={generator.id} onRemove={onRemove} />
      <div className={GRID}>
        <Words
          label={t('edit.name')}
          value={generator.name ?? ''}
          onValue={(name) => onChange({ name })}
        />
        <Field label={t('edit.kind')}>
          <Select
            value={kind}
            onChange={(event) => onChange({ kind: event.target.value as 'solar' | 'wind' })}
          >
            <option value="solar">{t('flow.solar')}</option>
            <option value="wind">{t('flow.wind')}</option>
          </Select>
        </Field>
        <Place tree={tree} value={generator.node_id} onValue={(node_id) => onChange({ node_id })} />
        <Amount
          label={t('edit.peak')}
          times={1000}
          value={generator.peak_w}
          empty={0}
          onValue={(peak) => onChange({ peak_w: peak ?? 0 })}
        />
        <Words
          label={t('edit.meter')}
          value={generator.meter ?? ''}
          onValue={(meter) => onChange({ meter: meter || null })}
        />
      </div>
      <Faults problems={problems} />
    </li>
  );
}

function BatteryForm({
  battery,
  tree,
  problems,
  onChange,
  onRemove,
}: {
  battery: Battery;
  tree: Tree;
  problems: TreeProblem[];
  onChange: (fields: Partial<Battery>) => void;
  onRemove: () => void;
}) {
  return (
    <li>
      <Head name={nameOf(battery)} id={battery.id} onRemove={onRemove} />
      <div className={GRID}>
        <Words
          label={t('edit.name')}
          value={battery.name ?? ''}
          onValue={(name) => onChange({ name })}
        />
        <Place tree={tree} value={battery.node_id} onValue={(node_id) => onChange({ node_id })} />
        <Amount
          label={t('edit.capacity')}
          times={1000}
          value={battery.capacity_wh}
          empty={0}
          onValue={(value) => onChange({ capacity_wh: value ?? 0 })}
        />
        <Amount
          label={t('edit.charge')}
          times={1000}
          value={battery.max_charge_w}
          empty={0}
          onValue={(value) => onChange({ max_charge_w: value ?? 0 })}
        />
        <Amount
          label={t('edit.discharge')}
          times={1000}
          value={battery.max_discharge_w}
          empty={0}
          onValue={(value) => onChange({ max_discharge_w: value ?? 0 })}
        />
        <Amount
          label={t('edit.min_soc')}
          value={battery.min_soc_percent ?? 5}
          empty={5}
          onValue={(value) => onChange({ min_soc_percent: value ?? 5 })}
        />
        <Words
          label={t('edit.meter')}
          value={battery.meter ?? ''}
          onValue={(meter) => onChange({ meter: meter || null })}
        />
      </div>
      <Faults problems={problems} />
    </li>
  );
}
