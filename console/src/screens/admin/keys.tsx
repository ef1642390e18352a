import { useQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { queries, sitesQuery } from '@/api/queries';
import { tApp } from '@/app/text';
import { day, moment, number } from '@/i18n/quantity';
import { AskFirst, type Wish } from '@/ui/ask-first';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { Checkbox, Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { readLocalMoment } from '@/ui/moments';
import { QueryTable } from '@/ui/query-table';
import { SecretDialog } from '@/ui/secret';
import { EmptyState } from '@/ui/states';
import { RoleField, SitesField, sitesOf, type Role } from './people';
import { t } from './text';

type ApiKey = Schemas['ApiKey'];
type EnrolmentKey = Schemas['EnrolmentKey'];

/** What both kinds of keys have: until when one opens anything. */
interface Ending {
  revoked_at: string | null;
  expires_at: string | null;
}

const isOver = (key: Ending) =>
  key.revoked_at !== null || (key.expires_at !== null && Date.parse(key.expires_at) < Date.now());

function stateOf(key: Ending): string {
  if (key.revoked_at) return t('key.revoked');
  if (isOver(key)) return t('key.expired');
  return key.expires_at ? t('key.until', { until: moment(key.expires_at) }) : t('key.good');
}

function stateColumn<Key extends Ending>(): Column<Key> {
  return {
    id: 'state',
    header: t('column.state'),
    width: 'minmax(150px, 1fr)',
    text: stateOf,
    cell: (key) => <span className={isOver(key) ? 'text-muted' : undefined}>{stateOf(key)}</span>,
  };
}

function revokeColumn<Key extends { id: string; name: string; revoked_at: string | null }>(
  onRevoke: (key: Key) => void,
): Column<Key> {
  return {
    id: 'act',
    header: '',
    width: '104px',
    align: 'right',
    cell: (key) =>
      key.revoked_at ? null : (
        <Button
          small
          aria-label={t('key.revoke.name', { name: key.name })}
          onClick={() => onRevoke(key)}
        >
          {t('key.revoke')}
        </Button>
      ),
  };
}

export function ApiKeys() {
  const keys = useQuery({
    queryKey: ['api-keys'],
    queryFn: () =>
      allPages((cursor) =>
        data(api.GET('/api/v1/api-keys', { params: { query: { limit: 1000, cursor } } })),
      ),
  });
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; key: string } | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: ['api-keys'] });
  const columns: Column<ApiKey>[] = [
    {
      id: 'name',
      header: t('column.name'),
      width: 'minmax(180px, 1.5fr)',
      text: (key) => key.name,
      cell: (key) => <span className="font-medium">{key.name}</span>,
    },
    {
      id: 'role',
      header: t('column.role'),
      width: '130px',
      text: (key) => tApp('role', { role: key.role }),
      cell: (key) => tApp('role', { role: key.role }),
    },
    {
      id: 'sites',
      header: t('column.sites'),
      width: '120px',
      text: (key) => sitesOf(key.sites),
      cell: (key) => <span className="text-muted">{sitesOf(key.sites)}</span>,
    },
    stateColumn<ApiKey>(),
    {
      id: 'created',
      header: t('column.created'),
      width: '120px',
      text: (key) => key.created_at,
      cell: (key) => <span className="text-muted">{day(key.created_at)}</span>,
    },
    revokeColumn<ApiKey>((key) =>
      setWish({
        title: t('key.revoke.title', { name: key.name }),
        consequence: t('key.revoke.consequence'),
        action: t('key.revoke'),
        done: t('key.revoke.done', { name: key.name }),
        run: () =>
          api
            .DELETE('/api/v1/api-keys/{key_id}', { params: { path: { key_id: key.id } } })
            .then(again),
      }),
    ),
  ];
  return (
    <>
      <QueryTable
        query={keys}
        label={t('tab.keys')}
        hint={t('keys.hint')}
        columns={columns}
        rowKey={(key) => key.id}
        name="api-keys"
        search
        actions={
          <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
            {t('keys.add')}
          </Button>
        }
        empty={
          <EmptyState icon={KeyRound} title={t('keys.empty')}>
            {t('keys.empty.hint')}
          </EmptyState>
        }
      />
      {adding && (
        <ApiKeyForm
          onClose={() => setAdding(false)}
          onMade={(made) => {
            setSecret(made);
            void again();
          }}
        />
      )}
      {secret && (
        <SecretDialog
          title={t('key.made', { name: secret.name })}
          description={t('key.once')}
          lines={[[t('key'), secret.key]]}
          onClose={() => setSecret(null)}
        />
      )}
      {wish && <AskFirst wish={wish} onClose={() => setWish(null)} />}
    </>
  );
}

function ApiKeyForm({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (made: { name: string; key: string }) => void;
}) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [sites, setSites] = useState<string[] | null>(null);
  const [until, setUntil] = useState('');
  return (
    <FormDialog
      title={t('keys.add')}
      description={t('keys.add.hint')}
      action={t('keys.add')}
      disabled={!name.trim()}
      onClose={onClose}
      onSubmit={async () => {
        onMade(
          await data(
            api.POST('/api/v1/api-keys', {
              body: { name: name.trim(), role, sites, expires_at: readLocalMoment(until) },
            }),
          ),
        );
        onClose();
      }}
    >
      {(errorOf) => (
        <>
          <Field label={t('column.name')} hint={t('keys.name.hint')} error={errorOf('name')}>
            <Input
              value={name}
              required
              maxLength={200}
              onChange={(event) => setName(event.target.value)}
            />
          </Field>
          <RoleField role={role} onRole={setRole} error={errorOf('role')} />
          <SitesField sites={sites} onSites={setSites} />
          <Field label={t('key.end')} hint={t('key.end.hint')} error={errorOf('expires_at')}>
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

export function EnrolmentKeys() {
  const keys = useQuery({
    queryKey: ['enrolment-keys'],
    queryFn: () =>
      allPages((cursor) =>
        data(api.GET('/api/v1/enrolment-keys', { params: { query: { limit: 1000, cursor } } })),
      ),
  });
  const sites = useQuery(sitesQuery);
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; key: string } | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: ['enrolment-keys'] });
  const siteName = (key: EnrolmentKey) =>
    sites.data?.items.find((site) => site.id === key.site_id)?.name ?? '';
  const columns: Column<EnrolmentKey>[] = [
    {
      id: 'name',
      header: t('column.name'),
      width: 'minmax(180px, 1.5fr)',
      text: (key) => key.name,
      cell: (key) => <span className="font-medium">{key.name}</span>,
    },
    {
      id: 'site',
      header: t('enrolment.site'),
      width: 'minmax(130px, 1fr)',
      text: siteName,
      cell: (key) => <span className="text-muted">{siteName(key)}</span>,
    },
    {
      id: 'admit',
      header: t('enrolment.admit'),
      width: '150px',
      text: (key) => t(key.admit ? 'enrolment.at-once' : 'enrolment.waits'),
      cell: (key) => t(key.admit ? 'enrolment.at-once' : 'enrolment.waits'),
    },
    {
      id: 'uses',
      header: t('enrolment.uses'),
      width: '110px',
      align: 'right',
      text: (key) => `${key.uses} / ${key.maximum_uses}`,
      cell: (key) => (
        <>
          {number(key.uses)}
          <span className="text-muted"> / {number(key.maximum_uses)}</span>
        </>
      ),
    },
    stateColumn<EnrolmentKey>(),
    revokeColumn<EnrolmentKey>((key) =>
      setWish({
        title: t('key.revoke.title', { name: key.name }),
        consequence: t('enrolment.revoke.consequence'),
        action: t('key.revoke'),
        done: t('key.revoke.done', { name: key.name }),
        run: () =>
          api
            .DELETE('/api/v1/enrolment-keys/{key_id}', { params: { path: { key_id: key.id } } })
            .then(again),
      }),
    ),
  ];
  return (
    <>
      <QueryTable
        query={keys}
        label={t('tab.enrolment')}
        hint={t('enrolment.hint')}
        columns={columns}
        rowKey={(key) => key.id}
        name="enrolment-keys"
        search
        actions={
          <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
            {t('enrolment.add')}
          </Button>
        }
        empty={
          <EmptyState icon={KeyRound} title={t('enrolment.empty')}>
            {t('enrolment.empty.hint')}
          </EmptyState>
        }
      />
      {adding && (
        <EnrolmentForm
          onClose={() => setAdding(false)}
          onMade={(made) => {
            setSecret(made);
            void again();
          }}
        />
      )}
      {secret && (
        <SecretDialog
          title={t('key.made', { name: secret.name })}
          description={t('enrolment.once')}
          lines={[[t('key'), secret.key]]}
          onClose={() => setSecret(null)}
        />
      )}
      {wish && <AskFirst wish={wish} onClose={() => setWish(null)} />}
    </>
  );
}

function EnrolmentForm({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (made: { name: string; key: string }) => void;
}) {
  const sites = useQuery(sitesQuery);
  const [name, setName] = useState('');
  const [site, setSite] = useState('');
  const [admit, setAdmit] = useState(false);
  const [uses, setUses] = useState('10');
  const [until, setUntil] = useState('');
  return (
    <FormDialog
      title={t('enrolment.add')}
      description={t('enrolment.add.hint')}
      action={t('enrolment.add')}
      disabled={!name.trim() || !(Number(uses) >= 1)}
      onClose={onClose}
      onSubmit={async () => {
        onMade(
          await data(
            api.POST('/api/v1/enrolment-keys', {
              body: {
                name: name.trim(),
                site_id: site || null,
                admit,
                maximum_uses: Number(uses),
                expires_at: readLocalMoment(until),
              },
            }),
          ),
        );
        onClose();
      }}
    >
      {(errorOf) => (
        <>
          <Field label={t('column.name')} error={errorOf('name')}>
            <Input
              value={name}
              required
              maxLength={200}
              onChange={(event) => setName(event.target.value)}
            />
          </Field>
          <Field label={t('enrolment.site')} error={errorOf('site_id')}>
            <Select value={site} onChange={(event) => setSite(event.target.value)}>
              <option value="">{t('enrolment.site.none')}</option>
              {sites.data?.items.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name}
                </option>
              ))}
            </Select>
          </Field>
          <div className="grid grid-cols-2 gap-3">
            <Field label={t('enrolment.most')} error={errorOf('maximum_uses')}>
              <Input
                type="number"
                min={1}
                value={uses}
                onChange={(event) => setUses(event.target.value)}
              />
            </Field>
            <Field label={t('key.end')} error={errorOf('expires_at')}>
              <Input
                type="datetime-local"
                value={until}
                onChange={(event) => setUntil(event.target.value)}
              />
            </Field>
          </div>
          <Checkbox
            label={t('enrolment.admit.label')}
            checked={admit}
            onChange={(event) => setAdmit(event.target.checked)}
          />
        </>
      )}
    </FormDialog>
  );
}
