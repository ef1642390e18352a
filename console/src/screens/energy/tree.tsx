// The circuits with what every phase bears: measured, given out, left, of the limit. What binds is marked.
import { GaugeCircle, Hand, Radio, RadioTower, WifiOff } from 'lucide-react';
import { useMemo } from 'react';
import { useMay } from '@/api/me';
import { joined, number, power } from '@/i18n/quantity';
import { IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { Panel } from '@/ui/page';
import type { EnergyLive, NodeState } from './questions';
import { t } from './text';

/** How many EVSEs are held by each node and phase. */
type Binding = Map<string, number>;

export const bindingKey = (node: string, phase: string | null) => `${node} ${phase ?? 'W'}`;

function bindingOf(now: EnergyLive): Binding {
  const found: Binding = new Map();
  for (const evse of now.evses) {
    if (!evse.binding) continue;
    const key = bindingKey(evse.binding.node_id, evse.binding.phase);
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return found;
}

interface Placed {
  node: NodeState;
  depth: number;
}

/** The nodes from the grid on, each under its parent. */
export function inOrder(nodes: NodeState[]): Placed[] {
  const under = new Map<string | null, NodeState[]>();
  for (const node of nodes) {
    const list = under.get(node.parent_id) ?? [];
    under.set(node.parent_id, list);
    list.push(node);
  }
  const found: Placed[] = [];
  const walk = (parent: string | null, depth: number) => {
    for (const node of under.get(parent) ?? []) {
      found.push({ node, depth });
      walk(node.id, depth + 1);
    }
  };
  walk(null, 0);
  return found;
}

const TRUST = { fresh: Radio, frozen: RadioTower, silent: WifiOff, none: GaugeCircle };

export function TreeNow({
  now,
  onOverride,
}: {
  now: EnergyLive;
  onOverride: (node: string) => void;
}) {
  const binding = useMemo(() => bindingOf(now), [now]);
  const placed = useMemo(() => inOrder(now.nodes), [now.nodes]);
  return (
    <Panel title={t('tree')} note={<Legend />}>
      <ul className="flex flex-col gap-4">
        {placed.map(({ node, depth }) => (
          <li
            key={node.id}
            className={classes('min-w-0', depth > 0 && 'border-l-2 border-line pl-3')}
            style={{
              marginLeft: `${Math.min(Math.max(0, depth - 1), 6) * 14 + (depth > 0 ? 6 : 0)}px`,
            }}
          >
            <Node node={node} binding={binding} onOverride={onOverride} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Legend() {
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-1">
      <li className="inline-flex items-center gap-1.5">
        <span aria-hidden className="h-2 w-4 rounded-sm bg-[var(--plot-1)]" />
        {t('tree.measured')}
      </li>
      <li className="inline-flex items-center gap-1.5">
        <span aria-hidden className="h-2 w-4 rounded-sm bg-[var(--plot-1)] opacity-30" />
        {t('tree.allocated')}
      </li>
      <li className="inline-flex items-center gap-1.5">
        <span aria-hidden className="h-3 w-0.5 bg-text" />
        {t('tree.limit')}
      </li>
    </ul>
  );
}

function Node({
  node,
  binding,
  onOverride,
}: {
  node: NodeState;
  binding: Binding;
  onOverride: (node: string) => void;
}) {
  const may = useMay('override_energy');
  const Trust = TRUST[node.trust];
  const name = node.name || node.id;
  const held = binding.get(bindingKey(node.id, null));
  return (
    <>
      <div className="mb-1 flex flex-wrap items-center gap-x-3 gap-y-0.5">
        <h3 className="font-medium">{name}</h3>
        <span className="inline-flex items-center gap-1 text-xs text-muted">
          <Trust aria-hidden size={13} />
          {t(`trust.${node.trust}`)}
        </span>
        {node.limit_reason && (
          <span className="rounded bg-warning-soft px-1.5 text-xs text-warning">
            {t('tree.tighter', { why: node.limit_reason })}
          </span>
        )}
        {held !== undefined && <Held count={held} />}
        <span className="ml-auto text-xs text-muted tabular">
          {node.limit_w === null
            ? joined(power(node.measured_w ?? node.allocated_w))
            : t('tree.of', {
                value: joined(power(node.measured_w ?? node.allocated_w)),
                limit: joined(power(node.limit_w)),
              })}
        </span>
        {may && (
          <IconButton
            icon={Hand}
            label={t('override.at', { what: name })}
            className="-my-1 size-7"
            onClick={() => onOverride(node.id)}
          />
        )}
      </div>
      <ul className="flex flex-col gap-1">
        {node.phases.map((phase) => (
          <Phase
            key={phase.phase}
            phase={phase}
            held={binding.get(bindingKey(node.id, phase.phase))}
          />
        ))}
      </ul>
    </>
  );
}

function Held({ count }: { count: number }) {
  return (
    <span className="rounded bg-accent-soft px-1.5 text-xs font-medium text-accent-strong">
      {t('tree.binds', { count })}
    </span>
  );
}

function Phase({ phase, held }: { phase: NodeState['phases'][number]; held: number | undefined }) {
  const given = Math.max(0, phase.base_a) + phase.allocated_a;
  const measured = phase.measured_a;
  const full = phase.limit_a ?? Math.max(given, measured ?? 0, 1);
  // An overload is drawn past the limit, which stays at its place.
  const scale = Math.max(full * 1.02, measured ?? 0);
  const isOver = phase.limit_a !== null && (measured ?? 0) > phase.limit_a + 0.5;
  const share = (amps: number) => `${Math.min(100, (Math.max(0, amps) / scale) * 100)}%`;
  const amps = (value: number | null) => (value === null ? '–' : number(value, 1));
  return (
    <li className="grid grid-cols-[22px_minmax(60px,1fr)_auto] items-center gap-2 text-xs">
      <span className="font-medium">{phase.phase}</span>
      <span aria-hidden className="relative h-2.5 rounded-sm bg-sunken">
        <span
          className="absolute inset-y-0 left-0 rounded-sm bg-[var(--plot-1)] opacity-30"
          style={{ width: share(given) }}
        />
        <span
          className={classes(
            'absolute inset-y-0.5 left-0 rounded-sm',
            isOver ? 'bg-[var(--danger)]' : 'bg-[var(--plot-1)]',
          )}
          style={{ width: share(measured ?? 0) }}
        />
        {phase.limit_a !== null && (
          <span
            className={classes('absolute -inset-y-0.5 w-0.5', held ? 'bg-accent' : 'bg-text')}
            style={{ left: share(full) }}
          />
        )}
      </span>
      <span className="relative grid grid-cols-[84px_128px] items-center gap-2 text-right tabular max-sm:grid-cols-[76px_104px]">
        <span className={isOver ? 'font-medium text-danger' : undefined}>
          {amps(measured)}
          <span className="text-muted">
            {' '}
            / {phase.limit_a === null ? '∞' : number(phase.limit_a)} A
          </span>
        </span>
        {held === undefined ? (
          <span className="text-muted">
            {phase.reserve_a === null ? '' : t('tree.left', { amps: amps(phase.reserve_a) })}
          </span>
        ) : (
          <span className="justify-self-end">
            <Held count={held} />
          </span>
        )}
        <span className="sr-only">
          {t('tree.said', { given: amps(phase.allocated_a), base: amps(phase.base_a) })}
        </span>
      </span>
    </li>
  );
}
