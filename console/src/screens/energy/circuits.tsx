// The editor of a site's circuits. A draft stands here until it is saved; the server says meanwhile what is wrong with it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, Plus, Save, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { api, data, Problem } from '@/api/client';
import { useMay } from '@/api/me';
import { Button } from '@/ui/button';
import { Panel } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { toast } from '@/ui/toast';
import { Assets } from './edit-assets';
import { Contract } from './edit-contract';
import { Evses } from './edit-evses';
import { ForecastPolicy } from './edit-forecast';
import { NodeForm } from './edit-node';
import { Meters } from './meters';
import { answered, type EnergySite, type Tree, type TreeProblem } from './questions';
import { t } from './text';

const PAUSE_MS = 500;

/** Ask the server about a draft, a moment after it was last changed. */
function useCheck(site: EnergySite, tree: Tree, isChanged: boolean) {
  const [asked, setAsked] = useState(tree);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(tree), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [tree]);
  const answer = useQuery({
    queryKey: ['energy', site.site_id, 'check', asked],
    queryFn: () =>
      data(
        api.POST('/api/v1/sites/{site_id}/energy/check', {
          params: { path: { site_id: site.site_id } },
          body: asked,
        }),
      ),
    enabled: isChanged,
    placeholderData: (before) => before,
    retry: false,
    gcTime: 0,
  });
  return {
    problems: isChanged ? (answer.data?.problems ?? []) : site.problems,
    refusal: isChanged && answer.error ? answer.error : null,
  };
}

function freshId(tree: Tree): string {
  const taken = new Set((tree.nodes ?? []).map((node) => node.id));
  for (let number = 1; ; number += 1) {
    const id = `circuit-${number}`;
    if (!taken.has(id)) return id;
  }
}

export function Circuits({ site }: { site: EnergySite }) {
  const may = useMay('manage_energy');
  const cache = useQueryClient();
  const [base, setBase] = useState(site);
  const [tree, setTree] = useState<Tree>(site.tree);
  const [round, setRound] = useState(0);
  const isChanged = tree !== base.tree;
  const { problems, refusal } = useCheck(base, tree, isChanged);
  const start = (from: EnergySite) => {
    setBase(from);
    setTree(from.tree);
    setRound((before) => before + 1);
  };
  const save = useMutation({
    mutationFn: () =>
      answered(
        api.PUT('/api/v1/sites/{site_id}/energy', {
          params: { path: { site_id: site.site_id } },
          body: { tree, version: base.version },
        }),
      ),
    onSuccess: (saved) => {
      toast('good', t('saved'));
      start(saved);
      cache.setQueryData(['energy', site.site_id, 'tree'], saved);
    },
    onError: (fault) =>
      toast(
        'bad',
        t('save.failed'),
        fault instanceof Problem && fault.code === 'energy_tree_changed'
          ? t('save.other')
          : fault.message,
      ),
  });
  const nodes = tree.nodes ?? [];
  const at = (where: string) => problems.filter((problem) => problem.where === where);
  const placed = new Set([
    ...nodes.map((node) => node.id),
    ...(tree.evses ?? []).map((evse) => `${evse.station_id}/${evse.evse_id ?? 1}`),
    ...(tree.generators ?? []).map((each) => each.id),
    ...(tree.batteries ?? []).map((each) => each.id),
  ]);
  const elsewhere = problems.filter((problem) => !placed.has(problem.where));
  return (
    <fieldset disabled={!may} className="relative flex min-w-0 flex-col gap-3">
      <legend className="sr-only">{t('tab.circuits')}</legend>
      <div className="panel sticky top-[52px] z-10 flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
        <State site={base} problems={problems} isChanged={isChanged} />
        {may && (
          <div className="ml-auto flex flex-wrap justify-end gap-2">
            <Button disabled={!isChanged} onClick={() => start(site)}>
              {t('discard')}
            </Button>
            <Button
              look="primary"
              icon={Save}
              disabled={(!isChanged && !base.derived) || save.isPending || refusal !== null}
              busy={save.isPending}
              onClick={() => save.mutate()}
            >
              {t('save')}
            </Button>
          </div>
        )}
        {refusal && (
          <p role="alert" className="w-full text-danger">
            {refusal.message}
          </p>
        )}
        {elsewhere.length > 0 && (
          <ul className="w-full text-xs text-warning">
            {elsewhere.map((problem) => (
              <li key={`${problem.where} ${problem.code}`}>
                <span className="font-medium">{problem.where}</span>: {problem.message}
              </li>
            ))}
          </ul>
        )}
      </div>
      <Panel
        title={t('circuits')}
        actions={
          may && (
            <Button
              small
              icon={Plus}
              onClick={() =>
                setTree({
                  ...tree,
                  nodes: [
                    ...nodes,
                    { id: freshId(tree), parent_id: nodes[0]?.id ?? null, kind: 'circuit' },
                  ],
                })
              }
            >
              {t('edit.add.node')}
            </Button>
          )
        }
        flush
      >
        {nodes.length === 0 ? (
          <EmptyState title={t('edit.no.nodes')}>{t('edit.no.nodes.hint')}</EmptyState>
        ) : (
          <ul className="divide-y divide-line border-t border-line">
            {nodes.map((node, index) => (
              <NodeForm
                key={`${round} ${index}`}
                node={node}
                tree={tree}
                problems={at(node.id)}
                onTree={setTree}
              />
            ))}
          </ul>
        )}
      </Panel>
      <Evses key={`evses ${round}`} siteId={site.site_id} tree={tree} at={at} onTree={setTree} />
      <div className="grid items-start gap-3 xl:grid-cols-2">
        <Assets key={`assets ${round}`} tree={tree} at={at} onTree={setTree} />
        <div className="flex min-w-0 flex-col gap-3">
          <Contract key={`contract ${round}`} tree={tree} onTree={setTree} />
          <ForecastPolicy key={`forecast ${round}`} tree={tree} onTree={setTree} />
          <Meters siteId={site.site_id} />
        </div>
      </div>
    </fieldset>
  );
}

function State({
  site,
  problems,
  isChanged,
}: {
  site: EnergySite;
  problems: TreeProblem[];
  isChanged: boolean;
}) {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.length - errors;
  return (
    <p role="status" className="flex min-w-0 flex-wrap items-center gap-x-2">
      {problems.length > 0 ? (
        <TriangleAlert aria-hidden size={16} className="text-warning" />
      ) : (
        <CircleCheck aria-hidden size={16} className="text-good" />
      )}
      <span className="font-medium">
        {problems.length === 0
          ? t('edit.good')
          : [
              errors > 0 ? t('edit.errors', { count: errors }) : '',
              warnings > 0 ? t('edit.warnings', { count: warnings }) : '',
            ]
              .filter(Boolean)
              .join(', ')}
      </span>
      <span className="text-muted">
        {isChanged
          ? t('edit.unsaved')
          : site.derived
            ? t('edit.derived')
            : t('edit.version', { version: site.version, who: site.changed_by })}
      </span>
    </p>
  );
}
