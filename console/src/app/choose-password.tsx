// Where the link leads that an administrator hands over: choose a password, once. The token stands behind `#`, so that it
// is in no server's log.
import { CircleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { api, Problem } from '@/api/client';
import { Button } from '@/ui/button';
import { Field, Input } from '@/ui/fields';
import { Logo } from './logo';
import { tApp } from './text';

export default function ChoosePassword() {
  const [token] = useState(() => location.hash.slice(1));
  const [password, setPassword] = useState('');
  const [refusal, setRefusal] = useState(token ? '' : tApp('choose.no-token'));
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  useEffect(() => {
    document.title = `${tApp('choose.title')} · Pilotwire`;
  }, []);
  const choose = async () => {
    setBusy(true);
    setRefusal('');
    try {
      await api.POST('/api/v1/password', { body: { token, password } });
      history.replaceState(null, '', '/');
      setDone(true);
    } catch (fault) {
      setRefusal(
        fault instanceof Problem ? (fault.errors[0]?.message ?? fault.message) : tApp('login.away'),
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <div className="flex w-full max-w-[360px] flex-col gap-6">
        <div className="flex items-center gap-3">
          <Logo size={36} />
          <p className="text-lg font-semibold tracking-[-0.01em]">Pilotwire</p>
        </div>
        <form
          className="panel flex flex-col gap-4 p-6"
          onSubmit={(event) => {
            event.preventDefault();
            if (done) location.assign('/');
            else void choose();
          }}
        >
          <h1 className="text-xl">{tApp(done ? 'choose.done' : 'choose.title')}</h1>
          {!done && (
            <Field label={tApp('choose.password')} hint={tApp('choose.hint')}>
              <Input
                type="password"
                autoComplete="new-password"
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            </Field>
          )}
          {refusal && (
            <p role="alert" className="flex gap-1.5 text-danger">
              <CircleAlert aria-hidden size={15} className="mt-0.5 shrink-0" />
              {refusal}
            </p>
          )}
          <Button type="submit" look="primary" busy={busy} disabled={busy || (!done && !token)}>
            {tApp(done ? 'login.submit' : 'choose.submit')}
          </Button>
        </form>
      </div>
    </main>
  );
}
