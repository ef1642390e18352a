// A fuse, cable or transformer in the editor.
import { ChevronRight, Trash2, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { joined, power } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import { Field, Select } from '@/ui/fields';
import { nameOf, sayPerPhase } from './amounts';
import { Amount, Hours, Phases, said, Words, type NodeGiven } from './parts';
import type { Tree, TreeProblem } from './questions';
import { t } from './text';

const KINDS = ['grid', 'feeder', 'circuit', 'transformer', 'station'] as const;
const METERING = ['none', 'total', 'base'] as const;

/** Give a node another id wherever it is named. */
function renamed(tree: Tree, from: string, to: string): Tree {
  const on = <Part extends { node_id: string }>(parts: Part[] | undefined) =>
    (parts ?? []).map((part) => (part.node_id === from ? { ...part, node_id: to } : part));
  return {
    ...tree,
    nodes: (tree.nodes ?? []).map((node) => ({
      ...node,
      id: node.id === from ? to : node.id,
      parent_id: node.parent_id === from ? to : (node.parent_id ?? null),
    })),
    evses: on(tree.evses),
    generators: on(tree.generators),
    batteries: on(tree.batteries),
  };
}

function isUsed(tree: Tree, id: string): boolean {
  const parts = [...(tree.evses ?? []), ...(tree.generators ?? []), ...(tree.batteries ?? [])];
  return (
    (tree.nodes ?? []).some((node) => node.parent_id === id) ||
    parts.some((part) => part.node_id === id)
  );
}

export function NodeForm({
  node,
  tree,
  problems,
  onTree,
}: {
  node: NodeGiven;
  tree: Tree;
  problems: TreeProblem[];
  onTree: (tree: Tree) => void;
}) {
  const nodes = tree.nodes ?? [];
  const [isOpen, setOpen] = useState(problems.length > 0 || nodes.length === 1);
  const change = (fields: Partial<NodeGiven>) =>
    onTree({
      ...tree,
      nodes: nodes.map((each) => (each === node ? { ...each, ...fields } : each)),
    });
  const limits = [
    node.limit_a == null ? '' : sayPerPhase(node.limit_a),
    node.limit_w == null ? '' : joined(power(node.limit_w)),
  ].filter(Boolean);
  const parent = nodes.find((each) => each.id === node.parent_id);
  return (
    <li>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="flex min-h-10 w-full flex-wrap items-center gap-x-3 px-4 text-left hover:bg-hover focus-visible:-outline-offset-2"
      >
        <ChevronRight
          aria-hidden
          size={15}
          className={isOpen ? 'rotate-90 text-muted' : 'text-muted'}
        />
        <span className="font-medium">{nameOf(node)}</span>
        <span className="text-muted">
          {t(`kind.${node.kind ?? 'circuit'}`)}
          {parent && `, ${t('edit.under', { parent: nameOf(parent) })}`}
        </span>
        {problems.length > 0 && (
          <span className="inline-flex items-center gap-1 text-xs text-warning">
            <TriangleAlert aria-hidden size={14} />
            {t('edit.problems', { count: problems.length })}
          </span>
        )}
        <span className="ml-auto text-muted tabular">{limits.join(', ')}</span>
      </button>
      {isOpen && (
        <div className="flex flex-col gap-4 px-4 pt-1 pb-4">
          <Fields node={node} tree={tree} problems={problems} change={change} onTree={onTree} />
          <Hours
            label={t('edit.schedule')}
            add={t('edit.add.schedule')}
            parts={node.schedule ?? []}
            fresh={{ since: '17:00', until: '20:00' }}
            onParts={(schedule) => change({ schedule })}
          >
            {(hours, put) => (
              <>
                <div className="w-36">
                  <Phases
                    label={t('edit.limit_a')}
                    value={hours.limit_a}
                    onValue={(limit_a) => put({ limit_a })}
                  />
                </div>
                <div className="w-28">
                  <Amount
                    label={t('edit.limit_w')}
                    times={1000}
                    value={hours.limit_w}
                    onValue={(limit_w) => put({ limit_w })}
                  />
                </div>
              </>
            )}
          </Hours>
          <div className="flex items-center gap-3">
            <Button
              small
              icon={Trash2}
              disabled={isUsed(tree, node.id)}
              onClick={() => onTree({ ...tree, nodes: nodes.filter((each) => each !== node) })}
            >
              {t('edit.remove.node')}
            </Button>
            {isUsed(tree, node.id) && (
              <span className="text-xs text-muted">{t('edit.remove.used')}</span>
            )}
          </div>
        </div>
      )}
    </li>
  );
}

function Fields({
  node,
  tree,
  problems,
  change,
  onTree,
}: {
  node: NodeGiven;
  tree: Tree;
  problems: TreeProblem[];
  change: (fields: Partial<NodeGiven>) => void;
  onTree: (tree: Tree) => void;
}) {
  const others = (tree.nodes ?? []).filter((each) => each !== node);
  return (
    <div className="grid grid-cols-[repeat(auto-fill,minmax(168px,1fr))] items-start gap-3">
      <Words label={t('edit.name')} value={node.name ?? ''} onValue={(name) => change({ name })} />
      <Words
        label={t('edit.id')}
        value={node.id}
        error={said(problems, 'twice')}
        onValue={(id) => onTree(renamed(tree, node.id, id))}
      />
      <Field label={t('edit.kind')}>
        <Select
          value={node.kind ?? 'circuit'}
          onChange={(event) => change({ kind: event.target.value as (typeof KINDS)[number] })}
        >
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {t(`kind.${kind}`)}
            </option>
          ))}
        </Select>
      </Field>
      <Field label={t('edit.parent')} error={said(problems, 'unknown_parent', 'circle', 'roots')}>
        <Select
          value={node.parent_id ?? ''}
          onChange={(event) => change({ parent_id: event.target.value || null })}
        >
          <option value="">{t('edit.parent.none')}</option>
          {others.map((each) => (
            <option key={each.id} value={each.id}>
              {nameOf(each)}
            </option>
          ))}
        </Select>
      </Field>
      <Phases
        label={t('edit.limit_a')}
        hint={t('edit.limit_a.hint')}
        error={said(problems, 'no_limit', 'bad_limit')}
        value={node.limit_a}
        onValue={(limit_a) => change({ limit_a })}
      />
      <Amount
        label={t('edit.limit_w')}
        times={1000}
        value={node.limit_w}
        onValue={(limit_w) => change({ limit_w })}
      />
      <Amount
        label={t('edit.margin_a')}
        hint={t('edit.margin_a.hint')}
        error={said(problems, 'margin', 'bad_number')}
        value={node.margin_a ?? 0}
        empty={0}
        onValue={(margin) => change({ margin_a: margin ?? 0 })}
      />
      <Phases
        label={t('edit.base_a')}
        hint={t('edit.base_a.hint')}
        value={node.base_a ?? 0}
        empty={0}
        onValue={(base) => change({ base_a: base ?? 0 })}
      />
      <Amount
        label={t('edit.unbalance_a')}
        hint={t('edit.unbalance_a.hint')}
        value={node.unbalance_a}
        onValue={(unbalance_a) => change({ unbalance_a })}
      />
      <Field label={t('edit.metering')}>
        <Select
          value={node.metering ?? 'none'}
          onChange={(event) =>
            change({ metering: event.target.value as (typeof METERING)[number] })
          }
        >
          {METERING.map((each) => (
            <option key={each} value={each}>
              {t(`metering.${each}`)}
            </option>
          ))}
        </Select>
      </Field>
      <Words
        label={t('edit.meter')}
        hint={t('edit.meter.hint')}
        error={said(problems, 'no_meter', 'meter_unused')}
        value={node.meter ?? ''}
        onValue={(meter) => change({ meter: meter || null })}
      />
      <Rest problems={problems} />
    </div>
  );
}

const SHOWN_AT_FIELDS = new Set([
  'twice', 'unknown_parent', 'circle', 'roots', 'no_limit', 'bad_limit', 'margin', 'bad_number',
  'no_meter', 'meter_unused',
]); // prettier-ignore

/** What the server says and no field above has shown. */
function Rest({ problems }: { problems: TreeProblem[] }) {
  const rest = problems.filter((problem) => !SHOWN_AT_FIELDS.has(problem.code));
  if (rest.length === 0) return null;
  return (
    <ul className="col-span-full text-xs text-warning">
      {rest.map((problem) => (
        <li key={problem.code}>{problem.message}</li>
      ))}
    </ul>
  );
}
