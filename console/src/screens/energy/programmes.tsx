// OpenADR servers that a site follows: how that goes, following another one, following one no more.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Radio } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { joined, power } from '@/i18n/quantity';
import { AskFirst } from '@/ui/ask-first';
import { Button } from '@/ui/button';
import { Checkbox, Field, Input, Select, TextArea } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { Ago } from '@/ui/live';
import { Panel } from '@/ui/page';
import { toast } from '@/ui/toast';
import { Listed } from './listed';
import { vtnsQuery, type Vtn } from './outside-questions';
import { t } from './text';

type Version = '2.0b' | '3.0' | '3.1';

export function Programmes({ siteId }: { siteId: string }) {
  const may = useMay('manage_energy');
  const cache = useQueryClient();
  const vtns = useQuery(vtnsQuery(siteId));
  const [isNew, setNew] = useState(false);
  const [leaving, setLeaving] = useState<Vtn | null>(null);
  return (
    <Panel
      title={t('programmes')}
      actions={
        may && (
          <Button small icon={Radio} onClick={() => setNew(true)}>
            {t('programme.new')}
          </Button>
        )
      }
    >
      <Listed query={vtns} none={t('programmes.none')}>
        {(vtn) => (
          <li key={vtn.id} className="flex items-center gap-3 py-1.5 first:pt-0 last:pb-0">
            <div className="min-w-0 flex-1">
              <p className="truncate">
                <span className="font-medium">{vtn.program || t('programme.all')}</span>{' '}
                <span className="text-muted">
                  OpenADR {vtn.version} · {vtn.ven_name} · {new URL(vtn.url).host}
                </span>
              </p>
              {vtn.error ? (
                <p className="text-xs break-words text-danger">{vtn.error}</p>
              ) : (
                <p className="truncate text-xs text-muted">
                  {vtn.polled_at ? (
                    <>
                      {t('programme.asked')} <Ago at={vtn.polled_at} />
                    </>
                  ) : (
                    t('programme.unasked')
                  )}
                  {vtn.levels_w.length > 0 &&
                    ` · ${t('programme.levels', {
                      levels: vtn.levels_w.map((each) => joined(power(each))).join(' / '),
                    })}`}
                  {!vtn.opted_in && ` · ${t('programme.out')}`}
                </p>
              )}
            </div>
            {may && (
              <Button small onClick={() => setLeaving(vtn)}>
                {t('programme.leave')}
              </Button>
            )}
          </li>
        )}
      </Listed>
      {isNew && <NewProgramme siteId={siteId} onClose={() => setNew(false)} />}
      {leaving && (
        <AskFirst
          wish={{
            title: t('programme.leave.title', { name: leaving.program || leaving.url }),
            consequence: t('programme.leave.hint'),
            action: t('programme.leave'),
            done: t('programme.left'),
            failed: t('programme.failed'),
            run: () =>
              api
                .DELETE('/api/v1/sites/{site_id}/energy/vtns/{vtn_id}', {
                  params: { path: { site_id: siteId, vtn_id: leaving.id } },
                })
                .finally(() => cache.invalidateQueries({ queryKey: ['energy', siteId] })),
          }}
          onClose={() => setLeaving(null)}
        />
      )}
    </Panel>
  );
}

function NewProgramme({ siteId, onClose }: { siteId: string; onClose: () => void }) {
  const cache = useQueryClient();
  const [version, setVersion] = useState<Version>('3.1');
  const [url, setUrl] = useState('');
  const [ven, setVen] = useState('');
  const [programme, setProgramme] = useState('');
  const [client, setClient] = useState('');
  const [secret, setSecret] = useState('');
  const [levels, setLevels] = useState('');
  const [optedIn, setOptedIn] = useState(true);
  const isSecond = version === '2.0b';
  const kilowatts = levels
    .split(/[\s;/]+/)
    .filter(Boolean)
    .map((each) => Number(each.replace(',', '.')));
  const badLevels = kilowatts.some((each) => !Number.isFinite(each) || each < 0);
  const submit = async () => {
    await data(
      api.POST('/api/v1/sites/{site_id}/energy/vtns', {
        params: { path: { site_id: siteId } },
        body: {
          url,
          version,
          ven_name: ven,
          program: programme,
          client_id: client,
          client_secret: secret,
          levels_w: kilowatts.map((each) => each * 1000),
          opted_in: optedIn,
          poll_s: 60,
          scope: '',
          token_url: '',
        },
      }),
    );
    toast('good', t('programme.added'));
    void cache.invalidateQueries({ queryKey: ['energy', siteId] });
    onClose();
  };
  return (
    <FormDialog
      title={t('programme.title')}
      description={t('programme.hint')}
      action={t('programme.do')}
      disabled={!url || !ven || badLevels}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <>
          <div className="grid grid-cols-[1fr_110px] gap-3">
            <Field label={t('programme.url')} error={errorOf('url')}>
              <Input
                value={url}
                inputMode="url"
                placeholder={
                  isSecond
                    ? 'https://vtn.example.com/OpenADR2/Simple/2.0b'
                    : 'https://vtn.example.com/openadr3/3.1.0'
                }
                onChange={(e) => setUrl(e.target.value)}
              />
            </Field>
            <Field label={t('programme.version')}>
              <Select value={version} onChange={(e) => setVersion(e.target.value as Version)}>
                <option value="3.1">OpenADR 3.1</option>
                <option value="3.0">OpenADR 3.0</option>
                <option value="2.0b">OpenADR 2.0b</option>
              </Select>
            </Field>
          </div>
          <div className="grid grid-cols-2 gap-3">
            <Field label={t('programme.ven')} error={errorOf('ven_name')}>
              <Input value={ven} onChange={(e) => setVen(e.target.value)} />
            </Field>
            <Field label={t('programme.name')} hint={t('programme.name.hint')}>
              <Input value={programme} onChange={(e) => setProgramme(e.target.value)} />
            </Field>
          </div>
          <Field label={t(isSecond ? 'programme.venid' : 'programme.client')}>
            <Input value={client} autoComplete="off" onChange={(e) => setClient(e.target.value)} />
          </Field>
          {isSecond ? (
            <Field label={t('programme.pem')} hint={t('programme.pem.hint')}>
              <TextArea
                value={secret}
                className="font-mono text-xs"
                spellCheck={false}
                onChange={(e) => setSecret(e.target.value)}
              />
            </Field>
          ) : (
            <Field label={t('programme.secret')}>
              <Input
                type="password"
                autoComplete="new-password"
                value={secret}
                onChange={(e) => setSecret(e.target.value)}
              />
            </Field>
          )}
          <Field
            label={t('programme.simple')}
            hint={t('programme.simple.hint')}
            error={badLevels ? t('programme.simple.bad') : errorOf('levels_w')}
          >
            <Input
              value={levels}
              placeholder="60 / 30 / 10"
              onChange={(e) => setLevels(e.target.value)}
            />
          </Field>
          <Checkbox
            label={t('programme.takes')}
            checked={optedIn}
            onChange={(e) => setOptedIn(e.target.checked)}
          />
        </>
      )}
    </FormDialog>
  );
}
