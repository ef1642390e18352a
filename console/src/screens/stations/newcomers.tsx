import { useState } from 'react';
import { api, data } from '@/api/client';
import type { LiveStation } from '@/live/types';
import { ConfirmDialog } from '@/ui/dialog';
import { toast } from '@/ui/toast';
import { t } from './text';

export interface AdmissionWish {
  station: LiveStation;
  admit: boolean;
}

/** Asks before a newcomer is admitted or rejected. */
export function AdmissionDialog({
  wish,
  onClose,
}: {
  wish: AdmissionWish | null;
  onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  if (!wish) return null;
  const { station, admit } = wish;
  const confirm = async () => {
    setBusy(true);
    try {
      await data(
        api.PATCH('/api/v1/stations/{station_id}', {
          params: { path: { station_id: station.id } },
          body: { admission: admit ? 'accepted' : 'rejected' },
        }),
      );
      toast('good', t(admit ? 'admitted' : 'rejected', { station: station.id }));
    } catch (fault) {
      toast('bad', t('admit.failed'), fault instanceof Error ? fault.message : '');
    }
    setBusy(false);
    onClose();
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t(admit ? 'admit.title' : 'reject.title', { station: station.id })}
      consequence={t(admit ? 'admit.consequence' : 'reject.consequence')}
      action={t(admit ? 'admit' : 'reject')}
      destructive={!admit}
      busy={busy}
      onConfirm={() => void confirm()}
    />
  );
}
