import { useQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { queries, sitesQuery } from '@/api/queries';
import { tApp } from '@/app/text';
import { day, moment, number } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { Checkbox, Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { readLocalMoment } from '@/ui/moments';
import { SecretDialog } from '@/ui/secret';
import { EmptyState, ErrorState } from '@/ui/states';
import { AskFirst, Top, type Wish } from './act';
import { RoleField, SitesField, type Role } from './people';
import { t } from './text';

type ApiKey = Schemas['ApiKey'];
type EnrolmentKey = Schemas['EnrolmentKey'];

/** What both kinds of keys have: whether one still opens anything. */
function KeyState({
  revokedAt,
  expiresAt,
}: {
  revokedAt: string | null;
  expiresAt: string | null;
}) {
  if (revokedAt) return <span className="text-muted">{t('key.revoked')}</span>;
  if (expiresAt && Date.parse(expiresAt) < Date.now())
    return <span className="text-muted">{t('key.expired')}</span>;
  return <span>{expiresAt ? t('key.until', { until: moment(expiresAt) }) : t('key.good')}</span>;
}

function revokeColumn<Key extends { id: string; name: string; revoked_at: string | null }>(
  onRevoke: (key: Key) => void,
): Column<Key> {
  return {
    id: 'acts',
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
    queryFn: () => data(api.GET('/api/v1/api-keys', { params: { query: { limit: 1000 } } })),
  });
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; key: string } | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: ['api-keys'] });
  if (keys.isError) return <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />;
  const columns: Column<ApiKey>[] = [
    {
      id: 'name',
      header: t('column.name'),
      width: 'minmax(180px, 1.5fr)',
      cell: (key) => <span className="font-medium">{key.name}</span>,
    },
    {
      id: 'role',
      header: t('column.role'),
      width: '130px',
      cell: (key) => tApp('role', { role: key.role }),
    },
    {
      id: 'sites',
      header: t('column.sites'),
      width: '120px',
      cell: (key) => (
        <span className="text-muted">
          {key.sites === null ? t('sites.all') : t('sites.some', { count: key.sites.length })}
        </span>
      ),
    },
    {
      id: 'state',
      header: t('column.state'),
      width: 'minmax(150px, 1fr)',
      cell: (key) => <KeyState revokedAt={key.revoked_at} expiresAt={key.expires_at} />,
    },
    {
      id: 'created',
      header: t('column.created'),
      width: '120px',
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
      <Top hint={t('keys.hint')}>
        <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
          {t('keys.add')}
        </Button>
      </Top>
      <DataTable
        label={t('tab.keys')}
        rows={keys.data?.items ?? []}
        rowKey={(key) => key.id}
        columns={columns}
        loading={keys.isPending}
        className="border-t border-line"
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
    queryFn: () => data(api.GET('/api/v1/enrolment-keys', { params: { query: { limit: 1000 } } })),
  });
  const sites = useQuery(sitesQuery);
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; key: string } | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: ['enrolment-keys'] });
  if (keys.isError) return <ErrorState error={keys.error} onRetry={() => void keys.refetch()} />;
  const siteName = (id: string) => sites.data?.items.find((site) => site.id === id)?.name ?? '';
  const columns: Column<EnrolmentKey>[] = [
    {
      id: 'name',
      header: t('column.name'),
      width: 'minmax(180px, 1.5fr)',
      cell: (key) => <span className="font-medium">{key.name}</span>,
    },
    {
      id: 'site',
      header: t('enrolment.site'),
      width: 'minmax(130px, 1fr)',
      cell: (key) => <span className="text-muted">{key.site_id && siteName(key.site_id)}</span>,
    },
    {
      id: 'admit',
      header: t('enrolment.admit'),
      width: '150px',
      cell: (key) => t(key.admit ? 'enrolment.at-once' : 'enrolment.waits'),
    },
    {
      id: 'uses',
      header: t('enrolment.uses'),
      width: '110px',
      align: 'right',
      cell: (key) => (
        <>
          {number(key.uses)}
          <span className="text-muted"> / {number(key.maximum_uses)}</span>
        </>
      ),
    },
    {
      id: 'state',
      header: t('column.state'),
      width: 'minmax(150px, 1fr)',
      cell: (key) => <KeyState revokedAt={key.revoked_at} expiresAt={key.expires_at} />,
    },
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
      <Top hint={t('enrolment.hint')}>
        <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
          {t('enrolment.add')}
        </Button>
      </Top>
      <DataTable
        label={t('tab.enrolment')}
        rows={keys.data?.items ?? []}
        rowKey={(key) => key.id}
        columns={columns}
        loading={keys.isPending}
        className="border-t border-line"
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
