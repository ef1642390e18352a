// Switching energy management of a site on and off, with what follows from it.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Power, PowerOff } from 'lucide-react';
import { useState } from 'react';
import { api } from '@/api/client';
import { useMay } from '@/api/me';
import { Button } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { toast } from '@/ui/toast';
import { answered, type EnergySite } from './questions';
import { t } from './text';

export function SwitchButton({ site }: { site: EnergySite }) {
  const may = useMay('manage_energy');
  const cache = useQueryClient();
  const [asks, setAsks] = useState(false);
  const faults = site.problems.filter((problem) => problem.severity === 'error').length;
  const change = useMutation({
    mutationFn: () =>
      answered(
        api.PUT('/api/v1/sites/{site_id}/energy', {
          params: { path: { site_id: site.site_id } },
          body: { enabled: !site.enabled },
        }),
      ),
    onSuccess: (changed) => {
      toast('good', t(changed.enabled ? 'switched.on' : 'switched.off'));
      setAsks(false);
    },
    onError: (fault) => {
      toast('bad', t('switch.failed'), fault.message);
      setAsks(false);
    },
    onSettled: () => cache.invalidateQueries({ queryKey: ['energy', site.site_id] }),
  });
  if (!may) return null;
  const isReady = site.enabled || (!site.derived && faults === 0);
  return (
    <div className="no-print flex items-center gap-3">
      {!isReady && (
        <span className="text-xs text-muted">
          {site.derived ? t('switch.derived') : t('switch.faults', { count: faults })}
        </span>
      )}
      <Button
        icon={site.enabled ? PowerOff : Power}
        look={site.enabled ? 'plain' : 'primary'}
        disabled={!isReady}
        onClick={() => setAsks(true)}
      >
        {t(site.enabled ? 'switch.off' : 'switch.on')}
      </Button>
      <ConfirmDialog
        open={asks}
        onOpenChange={setAsks}
        title={t(site.enabled ? 'switch.off.title' : 'switch.on.title')}
        consequence={t(site.enabled ? 'switch.off.hint' : 'switch.on.hint', {
          count: site.tree.evses?.length ?? 0,
        })}
        action={t(site.enabled ? 'switch.off' : 'switch.on')}
        destructive={site.enabled}
        busy={change.isPending}
        onConfirm={() => change.mutate()}
      />
    </div>
  );
}
