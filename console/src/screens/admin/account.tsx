import { useQuery } from '@tanstack/react-query';
import { Fingerprint, KeyRound, LogOut, Plus, Smartphone, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMe } from '@/api/me';
import { queries } from '@/api/queries';
import { tApp } from '@/app/text';
import { absolute, day } from '@/i18n/quantity';
import { AskFirst, type Wish } from '@/ui/ask-first';
import { Button, IconButton } from '@/ui/button';
import { Facts } from '@/ui/facts';
import { Field, Input } from '@/ui/fields';
import { faultText, FormDialog } from '@/ui/form';
import { Ago } from '@/ui/live';
import { SecretDialog } from '@/ui/secret';
import { ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { Scrolled } from './act';
import { makePasskey } from './passkeys';
import { t } from './text';

type Dialogs = 'password' | 'passkey' | 'totp' | 'totp-off';

export function Account() {
  const me = useMe();
  const [dialog, setDialog] = useState<Dialogs | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const close = () => setDialog(null);
  return (
    <Scrolled label={t('tab.account')}>
      <div className="grid grid-cols-1 gap-x-10 gap-y-5 lg:grid-cols-2">
        <section>
          <h2 className="flex min-h-[33px] items-center border-b border-line pb-1 text-sm">
            {t('me')}
          </h2>
          <Facts
            lines={[
              [t('column.name'), me.name],
              [t('column.role'), tApp('role', { role: me.role })],
              [
                t('column.sites'),
                me.sites === null ? t('sites.all') : t('sites.some', { count: me.sites.length }),
              ],
            ]}
          />
          <h2 className="mt-4 border-b border-line pb-1.5 text-sm">{t('factors')}</h2>
          <div className="flex flex-wrap gap-2 pt-3">
            <Button icon={KeyRound} onClick={() => setDialog('password')}>
              {t('password.change')}
            </Button>
            <Button icon={Smartphone} onClick={() => setDialog('totp')}>
              {t('totp.add')}
            </Button>
            <Button look="quiet" onClick={() => setDialog('totp-off')}>
              {t('totp.remove')}
            </Button>
          </div>
          <p className="pt-2 text-xs text-muted">{t('totp.hint')}</p>
        </section>
        <Passkeys onAdd={() => setDialog('passkey')} />
        <Logins />
      </div>
      {dialog === 'password' && <PasswordForm onClose={close} />}
      {dialog === 'passkey' && <PasskeyForm onClose={close} />}
      {dialog === 'totp' && <TotpForm onClose={close} onCodes={setCodes} />}
      {dialog === 'totp-off' && <TotpOff onClose={close} />}
      {codes && (
        <SecretDialog
          title={t('codes')}
          description={t('codes.hint')}
          lines={codes.map((code, index) => [String(index + 1), code])}
          onClose={() => setCodes(null)}
        />
      )}
    </Scrolled>
  );
}

function PasswordForm({ onClose }: { onClose: () => void }) {
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  return (
    <FormDialog
      title={t('password.change')}
      description={t('password.hint')}
      action={t('password.change')}
      disabled={!password}
      onClose={onClose}
      onSubmit={async () => {
        await api.POST('/api/v1/me/password', { body: { current, password } });
        toast('good', t('password.done'));
        onClose();
      }}
    >
      {(errorOf) => (
        <>
          <Field label={t('password.current')} error={errorOf('current')}>
            <Input
              type="password"
              autoComplete="current-password"
              value={current}
              onChange={(event) => setCurrent(event.target.value)}
            />
          </Field>
          <Field label={t('password.new')} error={errorOf('password')}>
            <Input
              type="password"
              autoComplete="new-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </Field>
        </>
      )}
    </FormDialog>
  );
}

const passkeysQuery = {
  queryKey: ['passkeys'],
  queryFn: () => data(api.GET('/api/v1/me/passkeys')),
};

function Passkeys({ onAdd }: { onAdd: () => void }) {
  const passkeys = useQuery(passkeysQuery);
  const [wish, setWish] = useState<Wish | null>(null);
  const remove = (passkey: Schemas['Passkey']) =>
    setWish({
      title: t('passkey.remove.title', { name: passkey.name }),
      consequence: t('passkey.remove.consequence'),
      action: t('passkey.remove'),
      done: t('passkey.removed'),
      run: () =>
        api
          .DELETE('/api/v1/me/passkeys/{passkey_id}', {
            params: { path: { passkey_id: passkey.id } },
          })
          .then(() => queries.invalidateQueries({ queryKey: ['passkeys'] })),
    });
  return (
    <section>
      <div className="flex items-center justify-between border-b border-line pb-1">
        <h2 className="text-sm">{t('passkeys')}</h2>
        <Button small icon={Plus} onClick={onAdd}>
          {t('passkey.add')}
        </Button>
      </div>
      {passkeys.isError ? (
        <ErrorState error={passkeys.error} onRetry={() => void passkeys.refetch()} />
      ) : passkeys.isPending ? (
        <LoadingRows rows={2} />
      ) : passkeys.data.items.length === 0 ? (
        <p className="py-2 text-muted">{t('passkeys.none')}</p>
      ) : (
        <ul>
          {passkeys.data.items.map((passkey) => (
            <li
              key={passkey.id}
              className="flex items-center gap-2 border-b border-line py-1 last:border-0"
            >
              <Fingerprint aria-hidden size={16} className="text-muted" />
              <span className="min-w-0 flex-1 truncate">
                <span className="font-medium">{passkey.name}</span>{' '}
                <span className="text-xs text-muted">
                  {t('passkey.since', { day: day(passkey.created_at) })}
                </span>
              </span>
              <Ago at={passkey.last_used_at} />
              <IconButton
                icon={Trash2}
                label={t('passkey.remove.name', { name: passkey.name })}
                onClick={() => remove(passkey)}
              />
            </li>
          ))}
        </ul>
      )}
      {wish && <AskFirst wish={wish} onClose={() => setWish(null)} />}
    </section>
  );
}

function PasskeyForm({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  return (
    <FormDialog
      title={t('passkey.add')}
      description={t('passkey.hint')}
      action={t('passkey.add')}
      disabled={!name.trim()}
      onClose={onClose}
      onSubmit={async () => {
        if (await makePasskey(name.trim())) {
          await queries.invalidateQueries({ queryKey: ['passkeys'] });
          toast('good', t('passkey.made'));
          onClose();
        }
      }}
    >
      {(errorOf) => (
        <Field label={t('column.name')} hint={t('passkey.name.hint')} error={errorOf('name')}>
          <Input
            value={name}
            required
            maxLength={100}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
      )}
    </FormDialog>
  );
}

function CodeField({
  value,
  onValue,
  error,
}: {
  value: string;
  onValue: (value: string) => void;
  error: string | undefined;
}) {
  return (
    <Field label={t('totp.code')} error={error}>
      <Input
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        maxLength={20}
        value={value}
        onChange={(event) => onValue(event.target.value.trim())}
      />
    </Field>
  );
}

function TotpForm({
  onClose,
  onCodes,
}: {
  onClose: () => void;
  onCodes: (codes: string[]) => void;
}) {
  const [code, setCode] = useState('');
  const totp = useQuery({
    queryKey: ['totp', 'new'],
    queryFn: () => data(api.POST('/api/v1/me/totp')),
    staleTime: Infinity,
    gcTime: 0,
  });
  return (
    <FormDialog
      title={t('totp.add')}
      description={t('totp.add.hint')}
      action={t('totp.confirm')}
      disabled={!totp.data || code.length < 6}
      onClose={onClose}
      onSubmit={async () => {
        const made = await data(api.POST('/api/v1/me/totp/confirm', { body: { code } }));
        onClose();
        onCodes(made.recovery_codes);
      }}
    >
      {(errorOf) =>
        totp.isError ? (
          <ErrorState error={totp.error} />
        ) : !totp.data ? (
          <LoadingRows rows={3} />
        ) : (
          <>
            <Facts
              lines={[
                [
                  t('totp.secret'),
                  <span key="secret" className="font-mono text-xs break-all select-all">
                    {totp.data.secret}
                  </span>,
                ],
              ]}
            />
            <a href={totp.data.uri} className="text-accent underline">
              {t('totp.open')}
            </a>
            <CodeField value={code} onValue={setCode} error={errorOf('code')} />
          </>
        )
      }
    </FormDialog>
  );
}

function TotpOff({ onClose }: { onClose: () => void }) {
  const [code, setCode] = useState('');
  return (
    <FormDialog
      title={t('totp.remove')}
      description={t('totp.remove.hint')}
      action={t('totp.remove')}
      disabled={code.length < 6}
      onClose={onClose}
      onSubmit={async () => {
        await api.POST('/api/v1/me/totp/remove', { body: { code } });
        toast('good', t('totp.removed'));
        onClose();
      }}
    >
      {(errorOf) => <CodeField value={code} onValue={setCode} error={errorOf('code')} />}
    </FormDialog>
  );
}

function Logins() {
  const logins = useQuery({
    queryKey: ['me', 'logins'],
    queryFn: () => data(api.GET('/api/v1/me/logins')),
  });
  const again = () => queries.invalidateQueries({ queryKey: ['me', 'logins'] });
  const end = async (id: string | null) => {
    try {
      if (id === null) await api.DELETE('/api/v1/me/logins');
      else await api.DELETE('/api/v1/me/logins/{login_id}', { params: { path: { login_id: id } } });
      toast('good', t('login.ended'));
    } catch (fault) {
      toast('bad', t('failed'), faultText(fault));
    }
    await again();
  };
  return (
    <section className="lg:col-span-2">
      <div className="flex items-center justify-between border-b border-line pb-1">
        <h2 className="text-sm">{t('logins')}</h2>
        <Button small icon={LogOut} onClick={() => void end(null)}>
          {t('logins.end')}
        </Button>
      </div>
      {logins.isError ? (
        <ErrorState error={logins.error} onRetry={() => void logins.refetch()} />
      ) : logins.isPending ? (
        <LoadingRows rows={3} />
      ) : (
        <ul>
          {logins.data.items.map((login) => (
            <li
              key={login.id}
              className="flex items-center gap-3 border-b border-line py-1.5 last:border-0"
            >
              <span className="min-w-0 flex-1">
                <span className="block truncate">{login.user_agent || login.method}</span>
                <span className="block text-xs text-muted" title={absolute(login.created_at)}>
                  {login.remote_address} · {login.method} · <Ago at={login.last_seen_at} />
                </span>
              </span>
              {login.current ? (
                <span className="text-xs text-muted">{t('login.this')}</span>
              ) : (
                <Button small onClick={() => void end(login.id)}>
                  {t('login.end')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
