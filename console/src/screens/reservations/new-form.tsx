import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { queries } from '@/api/queries';
import { useStation, useStations } from '@/live/hooks';
import { Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { localMoment, readLocalMoment } from '@/ui/moments';
import { toast } from '@/ui/toast';
import { t } from './text';

export interface Beginning {
  stationId: string;
  evse: number | null;
  at: number;
}

const LENGTH_MS = 3_600_000;

export function NewReservation({
  beginning,
  onClose,
}: {
  beginning: Beginning;
  onClose: () => void;
}) {
  const stationList = useId();
  const tokenList = useId();
  const stations = useStations(5000);
  const maySee = useMay('view_tokens');
  const [stationId, setStationId] = useState(beginning.stationId);
  const [evse, setEvse] = useState(beginning.evse === null ? '' : String(beginning.evse));
  const [token, setToken] = useState('');
  const [from, setFrom] = useState(localMoment(beginning.at));
  const [until, setUntil] = useState(localMoment(beginning.at + LENGTH_MS));
  const [note, setNote] = useState('');
  const station = useStation(stationId);
  const tokens = useQuery({
    queryKey: ['tokens', 'some'],
    queryFn: () => data(api.GET('/api/v1/tokens', { params: { query: { limit: 200 } } })),
    enabled: maySee,
  });
  const submit = async () => {
    const fromAt = readLocalMoment(from);
    await api.POST('/api/v1/reservations', {
      body: {
        station_id: stationId.trim(),
        ...(fromAt && new Date(fromAt).getTime() > Date.now() ? { from_at: fromAt } : {}),
        until_at: readLocalMoment(until) ?? '',
        evse_id: evse ? Number(evse) : null,
        token_uid: token.trim(),
        note: note.trim(),
      },
    });
    await queries.invalidateQueries({ queryKey: ['reservations'] });
    toast('good', t('made'));
    onClose();
  };
  return (
    <FormDialog
      title={t('add.title')}
      description={t('add.hint')}
      action={t('add')}
      onClose={onClose}
      onSubmit={submit}
      disabled={!stationId.trim() || !token.trim() || !until || until <= from}
    >
      {(errorOf) => (
        <>
          <Field label={t('station')} error={errorOf('station_id')}>
            <Input
              list={stationList}
              value={stationId}
              onChange={(event) => {
                setStationId(event.target.value);
                setEvse('');
              }}
              required
              autoComplete="off"
            />
          </Field>
          <datalist id={stationList}>
            {stations.slice(0, 500).map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </datalist>
          <Field label={t('evse')} error={errorOf('evse_id')}>
            <Select value={evse} onChange={(event) => setEvse(event.target.value)}>
              <option value="">{t('evse.any')}</option>
              {station?.evses.map((each) => (
                <option key={each.id} value={each.id}>
                  {t('evse.number', { number: each.id })}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t('token')} hint={t('token.hint')} error={errorOf('token_uid')}>
            <Input
              list={tokenList}
              value={token}
              onChange={(event) => setToken(event.target.value)}
              required
              autoComplete="off"
            />
          </Field>
          <datalist id={tokenList}>
            {tokens.data?.items.map((each) => (
              <option key={each.uid} value={each.uid}>
                {each.holder}
              </option>
            ))}
          </datalist>
          <div className="grid grid-cols-2 gap-3 max-sm:grid-cols-1">
            <Field label={t('from')} error={errorOf('from_at')}>
              <Input
                type="datetime-local"
                value={from}
                onChange={(event) => setFrom(event.target.value)}
                required
              />
            </Field>
            <Field
              label={t('until')}
              error={until && until <= from ? t('until.bad') : errorOf('until_at')}
            >
              <Input
                type="datetime-local"
                value={until}
                onChange={(event) => setUntil(event.target.value)}
                required
              />
            </Field>
          </div>
          <Field label={t('note')} error={errorOf('note')}>
            <Input value={note} onChange={(event) => setNote(event.target.value)} maxLength={200} />
          </Field>
        </>
      )}
    </FormDialog>
  );
}
