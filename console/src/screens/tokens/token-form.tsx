import { useId, useState } from 'react';
import { api, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { toast } from '@/ui/toast';
import { localMoment, readLocalMoment } from '@/ui/moments';
import { t } from './text';

type Token = Schemas['Token'];
type Kind = Schemas['TokenKind'];
type Status = Schemas['TokenStatus'];
const KINDS: Kind[] = ['rfid', 'app', 'code', 'emaid', 'mac', 'central', 'other'];

export function TokenForm({
  token,
  groups,
  onClose,
}: {
  token: Token | null;
  groups: string[];
  onClose: () => void;
}) {
  const list = useId();
  const [uid, setUid] = useState(token?.uid ?? '');
  const [kind, setKind] = useState<Kind>(KINDS.find((each) => each === token?.kind) ?? 'rfid');
  const [status, setStatus] = useState<Status>(token?.status ?? 'accepted');
  const [holder, setHolder] = useState(token?.holder ?? '');
  const [group, setGroup] = useState(token?.group_id ?? '');
  const [until, setUntil] = useState(token?.valid_until ? localMoment(token.valid_until) : '');
  const submit = async () => {
    const body = {
      kind,
      status,
      holder: holder.trim(),
      group_id: group.trim() || null,
      valid_until: readLocalMoment(until),
    };
    if (token)
      await api.PATCH('/api/v1/tokens/{uid}', { params: { path: { uid: token.uid } }, body });
    else await api.POST('/api/v1/tokens', { body: { uid: uid.trim(), ...body } });
    await queries.invalidateQueries({ queryKey: ['tokens'] });
    toast('good', t('saved', { uid: token?.uid ?? uid.trim() }));
    onClose();
  };
  return (
    <FormDialog
      title={token ? t('edit.title', { uid: token.uid }) : t('add.title')}
      description={token ? undefined : t('add.hint')}
      action={token ? t('save') : t('add')}
      onClose={onClose}
      onSubmit={submit}
      disabled={!uid.trim()}
    >
      {(errorOf) => (
        <>
          {!token && (
            <Field label={t('column.uid')} hint={t('uid.hint')} error={errorOf('uid')}>
              <Input
                value={uid}
                onChange={(event) => setUid(event.target.value)}
                required
                maxLength={255}
                autoComplete="off"
                className="font-mono"
              />
            </Field>
          )}
          <Field label={t('column.holder')} hint={t('holder.hint')} error={errorOf('holder')}>
            <Input
              value={holder}
              onChange={(event) => setHolder(event.target.value)}
              maxLength={200}
              autoComplete="off"
            />
          </Field>
          <div className="grid grid-cols-2 gap-3">
            <Field label={t('column.kind')} error={errorOf('kind')}>
              <Select
                value={kind}
                onChange={(event) =>
                  setKind(KINDS.find((each) => each === event.target.value) ?? 'rfid')
                }
              >
                {KINDS.map((each) => (
                  <option key={each} value={each}>
                    {t('kind', { kind: each })}
                  </option>
                ))}
              </Select>
            </Field>
            <Field label={t('column.status')} error={errorOf('status')}>
              <Select value={status} onChange={(event) => setStatus(event.target.value as Status)}>
                {(['accepted', 'blocked', 'expired', 'invalid'] as const).map((each) => (
                  <option key={each} value={each}>
                    {t(`state.${each}`)}
                  </option>
                ))}
              </Select>
            </Field>
          </div>
          <Field label={t('column.group')} hint={t('group.hint')} error={errorOf('group_id')}>
            <Input
              list={list}
              value={group}
              onChange={(event) => setGroup(event.target.value)}
              maxLength={200}
              autoComplete="off"
            />
          </Field>
          <datalist id={list}>
            {groups.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
          <Field label={t('column.until')} hint={t('until.hint')} error={errorOf('valid_until')}>
            <Input
              type="datetime-local"
              value={until}
              onChange={(event) => setUntil(event.target.value)}
            />
          </Field>
        </>
      )}
    </FormDialog>
  );
}
