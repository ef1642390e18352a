// What has to be typed into the charger, in the words of its maker.
import {
  ChevronRight,
  Copy,
  ExternalLink,
  KeyRound,
  QrCode as QrIcon,
  TriangleAlert,
} from 'lucide-react';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { api, data } from '@/api/client';
import { Button, IconButton } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { Panel } from '@/ui/page';
import { toast } from '@/ui/toast';
import { addressFor, hexOf, newPassword, noteOf, type Brand } from './brands';
import { ENROLMENT, keepSecret, secretOf } from './secrets';
import { t } from './text';

const QrCode = lazy(() => import('./qr'));

export function Settings({
  brand,
  base,
  station,
}: {
  brand: Brand;
  /** Where stations connect, without an identity. */
  base: string;
  /** The identity; none when stations introduce themselves with a key. */
  station: string | undefined;
}) {
  const [secret, setSecret] = useState(() => secretOf(station ?? ENROLMENT));
  const [asking, setAsking] = useState(false);
  const inAddress = brand.url === 'whole';
  const address = addressFor(
    base,
    location.hostname,
    inAddress ? (station ?? t('url.identity')) : null,
  );
  const shown = inAddress && !station ? decodeURIComponent(address.text) : address.text;
  return (
    <Panel
      title={brand.name ? t('settings.of', { brand: brand.name }) : t('settings')}
      className="min-w-0"
    >
      {brand.menu.length > 0 && (
        <p className="mb-2 flex flex-wrap items-center gap-1">
          <span className="mr-1 text-xs text-muted">{t('where')}</span>
          {brand.menu.map((each, index) => (
            <span key={each} className="inline-flex items-center gap-1">
              {index > 0 && <ChevronRight aria-hidden size={13} className="text-faint" />}
              <span className="font-medium break-all">{each}</span>
            </span>
          ))}
        </p>
      )}
      <p className="mb-3 text-muted">{noteOf(brand)}</p>
      <ul className="flex flex-col gap-2">
        <Line
          label={t('url')}
          field={brand.fields.url}
          value={shown}
          hint={brand.url === 'parts' ? t('url.parts') : inAddress ? t('url.whole') : undefined}
        />
        <Line
          label={t('identity')}
          field={brand.fields.identity ?? ''}
          value={station}
          instead={t('identity.own')}
          hint={brand.fields.identity === null ? t('identity.unnamed') : undefined}
        />
        <Line
          label={t('password')}
          field={brand.fields.password ?? ''}
          value={secret}
          instead={t('password.gone')}
          hint={
            <>
              {secret && t('password.once')}{' '}
              {brand.fields.password === null && t('password.unnamed')}
            </>
          }
        >
          {!secret && station && (
            <Button small icon={KeyRound} onClick={() => setAsking(true)}>
              {t('password.new')}
            </Button>
          )}
        </Line>
        <Line label={t('protocol')} instead={t('protocol.value', { versions: brand.ocpp })} />
      </ul>
      {secret && (
        <details className="mt-2">
          <summary className="min-h-6 cursor-pointer text-xs text-muted">
            {t('password.hex')}
          </summary>
          <ul className="mt-1">
            <Line label={t('password.hex')} value={hexOf(secret)} />
          </ul>
        </details>
      )}
      {address.isLoopback && (
        <p className="mt-3 flex gap-2 rounded-md bg-warning-soft px-3 py-2 text-warning">
          <TriangleAlert aria-hidden size={15} className="mt-0.5 shrink-0" />
          <span>{t('loopback')}</span>
        </p>
      )}
      <p className="mt-3 flex flex-wrap justify-between gap-2 text-xs text-muted">
        <span>{brand.id === 'other' && t('alike')}</span>
        {brand.source && (
          <a
            href={brand.source}
            target="_blank"
            rel="noreferrer"
            className="inline-flex min-h-6 items-center gap-1 text-accent hover:underline"
          >
            {t('source')} <ExternalLink aria-hidden size={12} />
          </a>
        )}
      </p>
      {asking && station && (
        <NewPassword
          station={station}
          onClose={() => setAsking(false)}
          onMade={(made) => {
            keepSecret(station, made);
            setSecret(made);
            setAsking(false);
          }}
        />
      )}
    </Panel>
  );
}

/** A setting: its name here and there, what to type, copied or scanned. */
function Line({
  label,
  field = '',
  value,
  instead,
  hint,
  children,
}: {
  label: string;
  field?: string;
  value?: string | undefined;
  /** What stands there when there is nothing to copy. */
  instead?: string;
  hint?: ReactNode;
  children?: ReactNode;
}) {
  const [scanned, setScanned] = useState(false);
  const copy = async (text: string) => {
    await navigator.clipboard.writeText(text);
    toast('good', t('copied'));
  };
  return (
    <li className="rounded-md border border-line bg-sunken py-1 pr-1 pl-3">
      <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1">
        <div className="w-36 shrink-0 py-0.5">
          <span className="block text-xs font-medium">{label}</span>
          {field && (
            <span className="block text-xs text-muted">
              <span className="sr-only">{t('field')}: </span>
              {field}
            </span>
          )}
        </div>
        <div className="min-w-40 flex-1">
          {value ? (
            <span className="font-mono break-all select-all">{value}</span>
          ) : (
            <span className="text-muted">{instead}</span>
          )}
          {hint && <span className="block text-xs text-muted">{hint}</span>}
        </div>
        <div className="flex">
          {children}
          {value && (
            <>
              <IconButton
                icon={QrIcon}
                label={t('qr', { what: label })}
                aria-expanded={scanned}
                onClick={() => setScanned(!scanned)}
              />
              <IconButton
                icon={Copy}
                label={t('copy', { what: label })}
                onClick={() => void copy(value)}
              />
            </>
          )}
        </div>
      </div>
      {scanned && value && (
        <div className="flex flex-wrap items-center gap-3 py-2">
          <Suspense fallback={<span className="skeleton size-44" />}>
            <QrCode text={value} label={`${label}: ${value}`} />
          </Suspense>
          <span className="max-w-48 text-xs text-muted">{t('qr.hint')}</span>
        </div>
      )}
    </li>
  );
}

function NewPassword({
  station,
  onClose,
  onMade,
}: {
  station: string;
  onClose: () => void;
  onMade: (password: string) => void;
}) {
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    setBusy(true);
    const password = newPassword();
    try {
      await data(
        api.PATCH('/api/v1/stations/{station_id}', {
          params: { path: { station_id: station } },
          body: { password } as never,
        }),
      );
      onMade(password);
    } catch (fault) {
      toast('bad', t('failed'), fault instanceof Error ? fault.message : '');
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('password.new.title', { station })}
      consequence={t('password.new.consequence')}
      action={t('password.new')}
      busy={busy}
      onConfirm={() => void confirm()}
    />
  );
}
