// Signing in: password and, if asked for, a code; passkey; single sign-on. The address stays, so that a deep link is
// still there afterwards.
import { useQuery } from '@tanstack/react-query';
import { Eye, EyeOff, KeyRound, LogIn } from 'lucide-react';
import { useEffect, useState, type SubmitEvent } from 'react';
import { api, data, Problem } from '@/api/client';
import type { Me } from '@/api/me';
import { Button, IconButton } from '@/ui/button';
import { Field, Input } from '@/ui/fields';
import { Logo } from './logo';
import { canUsePasskeys, signInWithPasskey } from './passkey';
import { tApp } from './text';

function explain(fault: unknown, withCode: boolean): string {
  if (fault instanceof Problem) {
    if (fault.code === 'wrong_credentials' || fault.code === 'unauthenticated') {
      return tApp(withCode ? 'login.code.wrong' : 'login.wrong');
    }
    if (fault.code === 'code_needed') return tApp('login.code.wrong');
    if (fault.status === 429) return tApp('login.many');
    if (fault.status < 500 && fault.status > 0) return fault.message;
  }
  return tApp('login.away');
}

export function Login({ onSignedIn }: { onSignedIn: (me: Me) => void }) {
  const methods = useQuery({
    queryKey: ['login-methods'],
    queryFn: () => data(api.GET('/api/v1/login/methods')),
    staleTime: Infinity,
  });
  const [refusal, setRefusal] = useState('');
  useEffect(() => {
    document.title = `${tApp('login.title')} · Pilotwire`;
  }, []);
  const tryPasskey = async () => {
    setRefusal('');
    try {
      const me = await signInWithPasskey();
      if (me) onSignedIn(me);
    } catch (fault) {
      setRefusal(fault instanceof Problem ? fault.message : tApp('login.passkey.failed'));
    }
  };
  const provider = methods.data?.single_sign_on;
  const hasPasskey = methods.data?.passkey === true && canUsePasskeys();
  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <div className="flex w-full max-w-[360px] flex-col gap-6">
        <div className="flex items-center gap-3">
          <Logo size={36} />
          <div>
            <p className="text-lg font-semibold tracking-[-0.01em]">Pilotwire</p>
            <p className="text-xs text-muted">{tApp('login.tagline')}</p>
          </div>
        </div>
        <div className="panel flex flex-col gap-4 p-6">
          <h1 className="text-xl">{tApp('login.title')}</h1>
          {methods.data?.password !== false && (
            <PasswordForm onSignedIn={onSignedIn} refusal={refusal} onRefusal={setRefusal} />
          )}
          {(provider ?? hasPasskey) && (
            <>
              <p className="flex items-center gap-3 text-xs text-muted before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
                {tApp('login.or')}
              </p>
              {hasPasskey && (
                <Button icon={KeyRound} className="h-9" onClick={() => void tryPasskey()}>
                  {tApp('login.passkey')}
                </Button>
              )}
              {provider && (
                <a
                  href={provider.address}
                  className="inline-flex h-9 items-center justify-center gap-1.5 rounded-md border border-line-strong font-medium hover:bg-hover"
                >
                  <LogIn aria-hidden size={15} />
                  {tApp('login.sso', { name: provider.name })}
                </a>
              )}
            </>
          )}
        </div>
        <p className="text-xs text-muted">
          {tApp('login.first')} <code className="font-mono">pilotwire user create</code>.
        </p>
      </div>
    </main>
  );
}

function PasswordForm({
  onSignedIn,
  refusal,
  onRefusal,
}: {
  onSignedIn: (me: Me) => void;
  refusal: string;
  onRefusal: (refusal: string) => void;
}) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState<string | null>(null);
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    onRefusal('');
    try {
      const body = { email, password, ...(code === null ? {} : { code: code.trim() }) };
      onSignedIn(await data(api.POST('/api/v1/login', { body })));
    } catch (fault) {
      setBusy(false);
      if (fault instanceof Problem && fault.code === 'code_needed' && code === null) setCode('');
      else onRefusal(explain(fault, code !== null));
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <Field label={tApp('login.email')}>
        <Input
          type="email"
          name="email"
          autoComplete="username"
          required
          // The only thing to do here.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          className="h-9"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </Field>
      <div className="relative">
        <Field label={tApp('login.password')}>
          <Input
            type={shown ? 'text' : 'password'}
            name="password"
            autoComplete="current-password"
            required
            className="h-9 pr-10"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </Field>
        <IconButton
          icon={shown ? EyeOff : Eye}
          label={tApp(shown ? 'login.hide' : 'login.show')}
          onClick={() => setShown(!shown)}
          className="absolute right-0.5 bottom-0.5"
        />
      </div>
      {code !== null && (
        <Field label={tApp('login.code')} hint={tApp('login.code.hint')}>
          <Input
            name="code"
            autoComplete="one-time-code"
            required
            // It has just been asked for.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            className="h-9"
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        </Field>
      )}
      <p role="alert" className="text-danger empty:hidden">
        {refusal}
      </p>
      <Button type="submit" look="primary" busy={busy} className="h-9">
        {tApp('login.submit')}
      </Button>
    </form>
  );
}
