import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { queries } from '@/api/queries';
import { absolute, duration, moment } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import { ConfirmDialog, Dialog } from '@/ui/dialog';
import { Facts } from '@/ui/facts';
import { Field, Input } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { OPEN, ReservationState } from './state';
import { t } from './text';

/** A reservation with its history; it can be given up here. */
export function ReservationDetail({ id, onClose }: { id: number; onClose: () => void }) {
  const mayCancel = useMay('call_stations');
  const [asking, setAsking] = useState(false);
  const reservation = useQuery({
    queryKey: ['reservations', 'one', id],
    queryFn: () =>
      data(
        api.GET('/api/v1/reservations/{reservation_id}', {
          params: { path: { reservation_id: id } },
        }),
      ),
    refetchInterval: 5000,
  });
  const found = reservation.data;
  const isOpen = found !== undefined && OPEN.includes(found.state);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('detail.title', { number: id })}
      footer={
        <>
          {isOpen && mayCancel && <Button onClick={() => setAsking(true)}>{t('cancel')}</Button>}
          <Button look="primary" onClick={onClose}>
            {t('close')}
          </Button>
        </>
      }
    >
      {reservation.isError ? (
        <ErrorState error={reservation.error} onRetry={() => void reservation.refetch()} />
      ) : !found ? (
        <LoadingRows />
      ) : (
        <>
          <Facts
            lines={[
              [t('column.state'), <ReservationState key="state" state={found.state} />],
              [t('column.detail'), found.detail],
              [
                t('station'),
                <Link
                  key="station"
                  to="/stations/$stationId"
                  params={{ stationId: found.station_id }}
                  className="hover:underline"
                >
                  {found.station_id}
                </Link>,
              ],
              [t('evse'), found.evse_id ?? found.placed_evse_id ?? t('evse.any')],
              [t('plug'), found.connector_type],
              [t('token'), found.token_uid],
              [t('group'), found.group_id],
              [t('from'), absolute(found.from_at)],
              [t('until'), absolute(found.until_at)],
              [t('grace'), duration(found.grace_s)],
              [t('note'), found.note],
              [t('by'), found.created_by],
              [
                t('session'),
                found.session_id && (
                  <Link
                    to="/sessions/$sessionId"
                    params={{ sessionId: found.session_id }}
                    className="text-accent hover:underline"
                  >
                    {t('session.show')}
                  </Link>
                ),
              ],
            ]}
          />
          <h3 className="pt-3 pb-1 text-sm">{t('history')}</h3>
          <ol className="pb-2">
            {found.history.map((step, index) => (
              <li key={index} className="flex gap-3 border-b border-line py-1 last:border-0">
                <time className="w-36 shrink-0 text-muted tabular" title={absolute(step.at)}>
                  {moment(step.at)}
                </time>
                <span className="min-w-0">
                  <ReservationState state={step.state} />
                  {step.detail && <span className="block text-muted">{step.detail}</span>}
                </span>
              </li>
            ))}
          </ol>
        </>
      )}
      {asking && found && (
        <Cancel id={id} placed={found.state !== 'planned'} onClose={() => setAsking(false)} />
      )}
    </Dialog>
  );
}

function Cancel({ id, placed, onClose }: { id: number; placed: boolean; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [reason, setReason] = useState('');
  const cancel = async () => {
    setBusy(true);
    try {
      await api.POST('/api/v1/reservations/{reservation_id}/cancel', {
        params: { path: { reservation_id: id } },
        body: { reason: reason.trim() },
      });
      await queries.invalidateQueries({ queryKey: ['reservations'] });
      toast('good', t('cancelled', { number: id }));
    } catch (fault) {
      toast('bad', t('failed'), faultText(fault));
    }
    onClose();
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('cancel.title', { number: id })}
      consequence={t(placed ? 'cancel.placed' : 'cancel.planned')}
      action={t('cancel')}
      destructive
      busy={busy}
      onConfirm={() => void cancel()}
    >
      <Field label={t('reason')}>
        <Input value={reason} onChange={(event) => setReason(event.target.value)} maxLength={200} />
      </Field>
    </ConfirmDialog>
  );
}
