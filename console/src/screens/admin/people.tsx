import { useQuery } from '@tanstack/react-query';
import { Ellipsis, Plus, Users } from 'lucide-react';
import { useState } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { useMe } from '@/api/me';
import { queries, sitesQuery } from '@/api/queries';
import { tApp } from '@/app/text';
import { absolute } from '@/i18n/quantity';
import { AskFirst, type Wish } from '@/ui/ask-first';
import { Button, IconButton } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { Tags } from '@/ui/facts';
import { Checkbox, Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { Ago } from '@/ui/live';
import { Menu, MenuDivider, MenuItem } from '@/ui/menu';
import { QueryTable } from '@/ui/query-table';
import { SecretDialog } from '@/ui/secret';
import { EmptyState } from '@/ui/states';
import { toast } from '@/ui/toast';
import { t } from './text';

type User = Schemas['User'];
export type Role = Schemas['Role'];
export const ROLES: Role[] = [
  'owner',
  'operator',
  'support',
  'finance',
  'viewer',
  'installer',
  'partner',
];

const again = () => queries.invalidateQueries({ queryKey: ['users'] });

/** Where a link to choose a password leads. */
function linkOf(token: string): string {
  return `${location.origin}/password#${token}`;
}

export function People() {
  const me = useMe();
  const users = useQuery({
    queryKey: ['users'],
    queryFn: () =>
      allPages((cursor) =>
        data(api.GET('/api/v1/users', { params: { query: { limit: 1000, cursor } } })),
      ),
  });
  const [editing, setEditing] = useState<User | 'new' | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const [link, setLink] = useState<{ name: string; link: string; until: string } | null>(null);
  const giveLink = async (user: User) => {
    const made = await data(
      api.POST('/api/v1/users/{user_id}/password-link', {
        params: { path: { user_id: user.id } },
      }),
    );
    setLink({ name: user.name || user.email, link: linkOf(made.token), until: made.expires_at });
  };
  const path = (user: User) => ({ params: { path: { user_id: user.id } } });
  const acts = (user: User) => {
    const name = user.name || user.email;
    const isOff = user.disabled_at !== null;
    return (
      <Menu
        trigger={<IconButton icon={Ellipsis} className="!size-7" label={t('acts', { name })} />}
      >
        <MenuItem onSelect={() => setTimeout(() => setEditing(user))}>{t('edit')}</MenuItem>
        <MenuItem
          onSelect={() =>
            setTimeout(() =>
              setWish({
                title: t('link.title', { name }),
                consequence: t('link.consequence'),
                action: t('link.act'),
                done: t('link.made'),
                run: () => giveLink(user),
              }),
            )
          }
        >
          {t('link.act')}
        </MenuItem>
        <MenuItem
          onSelect={() =>
            setTimeout(() =>
              setWish({
                title: t('factors.title', { name }),
                consequence: t('factors.consequence'),
                action: t('factors.act'),
                done: t('factors.done'),
                run: () =>
                  api.DELETE('/api/v1/users/{user_id}/second-factors', path(user)).then(again),
              }),
            )
          }
        >
          {t('factors.act')}
        </MenuItem>
        <MenuItem
          onSelect={() =>
            setTimeout(() =>
              setWish({
                title: t('logins.title', { name }),
                consequence: t('logins.consequence'),
                action: t('logins.act'),
                done: t('logins.done'),
                run: () => api.DELETE('/api/v1/users/{user_id}/logins', path(user)),
              }),
            )
          }
        >
          {t('logins.act')}
        </MenuItem>
        <MenuDivider />
        <MenuItem
          disabled={user.id === me.id}
          destructive={!isOff}
          onSelect={() =>
            setTimeout(() =>
              setWish({
                title: t(isOff ? 'enable.title' : 'disable.title', { name }),
                consequence: t(isOff ? 'enable.consequence' : 'disable.consequence'),
                action: t(isOff ? 'enable.act' : 'disable.act'),
                done: t('saved', { name }),
                run: () =>
                  api
                    .PATCH('/api/v1/users/{user_id}', { ...path(user), body: { disabled: !isOff } })
                    .then(again),
              }),
            )
          }
        >
          {t(isOff ? 'enable.act' : 'disable.act')}
        </MenuItem>
      </Menu>
    );
  };
  const columns: Column<User>[] = [
    {
      id: 'name',
      header: t('column.name'),
      width: 'minmax(150px, 1.2fr)',
      text: (user) => user.name,
      cell: (user) => (
        <button
          type="button"
          onClick={() => setEditing(user)}
          className="font-medium hover:underline"
        >
          {user.name || user.email}
        </button>
      ),
    },
    {
      id: 'email',
      header: t('column.email'),
      width: 'minmax(170px, 1.4fr)',
      text: (user) => user.email,
      cell: (user) => <span className="text-muted">{user.email}</span>,
    },
    {
      id: 'role',
      header: t('column.role'),
      width: '120px',
      text: (user) => tApp('role', { role: user.role }),
      cell: (user) => tApp('role', { role: user.role }),
    },
    {
      id: 'sites',
      header: t('column.sites'),
      width: '110px',
      text: (user) => sitesOf(user.sites),
      cell: (user) => <span className="text-muted">{sitesOf(user.sites)}</span>,
    },
    {
      id: 'ways',
      header: t('column.ways'),
      width: 'minmax(130px, 1fr)',
      text: (user) => waysOf(user).join(', '),
      cell: (user) => <Tags tags={waysOf(user)} />,
    },
    {
      id: 'seen',
      header: t('column.signed-in'),
      width: '120px',
      text: (user) => (user.disabled_at ? t('disabled') : user.last_signed_in_at),
      cell: (user) =>
        user.disabled_at ? (
          <span className="text-warning" title={absolute(user.disabled_at)}>
            {t('disabled')}
          </span>
        ) : (
          <Ago at={user.last_signed_in_at} />
        ),
    },
    { id: 'act', header: '', width: '44px', align: 'right', cell: acts },
  ];
  return (
    <>
      <QueryTable
        query={users}
        label={t('tab.people')}
        hint={t('people.hint')}
        columns={columns}
        rowKey={(user) => user.id}
        name="people"
        search
        actions={
          <Button look="primary" icon={Plus} onClick={() => setEditing('new')}>
            {t('people.add')}
          </Button>
        }
        empty={<EmptyState icon={Users} title={t('people.empty')} />}
        phoneRow={(user) => (
          <div className="flex items-center gap-2">
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">{user.name || user.email}</p>
              <p className="truncate text-xs text-muted">
                {tApp('role', { role: user.role })} {user.disabled_at && `· ${t('disabled')}`}
              </p>
            </div>
            {acts(user)}
          </div>
        )}
      />
      {editing && (
        <UserForm
          user={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
          onMade={(user) => void giveLink(user)}
        />
      )}
      {wish && <AskFirst wish={wish} onClose={() => setWish(null)} />}
      {link && (
        <SecretDialog
          title={t('link.made')}
          description={t('link.once', { name: link.name, until: absolute(link.until) })}
          lines={[[t('link'), link.link]]}
          onClose={() => setLink(null)}
        />
      )}
    </>
  );
}

/** At how many sites somebody or a key may do something, in words. */
export function sitesOf(sites: string[] | null): string {
  return sites === null ? t('sites.all') : t('sites.some', { count: sites.length });
}

function waysOf(user: User): string[] {
  return [
    user.has_password && t('way.password'),
    user.has_totp && t('way.totp'),
    user.has_single_sign_on && t('way.sso'),
  ].filter((each) => each !== false);
}

function UserForm({
  user,
  onClose,
  onMade,
}: {
  user: User | null;
  onClose: () => void;
  onMade: (user: User) => void;
}) {
  const [email, setEmail] = useState('');
  const [name, setName] = useState(user?.name ?? '');
  const [role, setRole] = useState<Role>(user?.role ?? 'viewer');
  const [sites, setSites] = useState<string[] | null>(user?.sites ?? null);
  const submit = async () => {
    const body = { name: name.trim(), role, sites };
    if (user) {
      await api.PATCH('/api/v1/users/{user_id}', {
        params: { path: { user_id: user.id } },
        body,
      });
    } else {
      onMade(await data(api.POST('/api/v1/users', { body: { ...body, email: email.trim() } })));
    }
    await again();
    toast('good', t('saved', { name: body.name || (user ? user.email : email) }));
    onClose();
  };
  return (
    <FormDialog
      title={user ? t('people.edit', { name: user.name || user.email }) : t('people.add')}
      description={user ? user.email : t('people.add.hint')}
      action={user ? t('save') : t('people.add')}
      onClose={onClose}
      onSubmit={submit}
      disabled={!user && !email.trim()}
    >
      {(errorOf) => (
        <>
          {!user && (
            <Field label={t('column.email')} error={errorOf('email')}>
              <Input
                type="email"
                value={email}
                required
                autoComplete="off"
                onChange={(event) => setEmail(event.target.value)}
              />
            </Field>
          )}
          <Field label={t('column.name')} error={errorOf('name')}>
            <Input value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
          </Field>
          <RoleField role={role} onRole={setRole} error={errorOf('role')} />
          <SitesField sites={sites} onSites={setSites} />
        </>
      )}
    </FormDialog>
  );
}

export function RoleField({
  role,
  onRole,
  error,
}: {
  role: Role;
  onRole: (role: Role) => void;
  error: string | undefined;
}) {
  return (
    <Field label={t('column.role')} hint={t('role.hint', { role })} error={error}>
      <Select
        value={role}
        onChange={(event) => onRole(ROLES.find((each) => each === event.target.value) ?? 'viewer')}
      >
        {ROLES.map((each) => (
          <option key={each} value={each}>
            {tApp('role', { role: each })}
          </option>
        ))}
      </Select>
    </Field>
  );
}

/** All sites, or some only. */
export function SitesField({
  sites,
  onSites,
}: {
  sites: string[] | null;
  onSites: (sites: string[] | null) => void;
}) {
  const all = useQuery(sitesQuery);
  const toggle = (id: string) => {
    const before = sites ?? [];
    onSites(before.includes(id) ? before.filter((each) => each !== id) : [...before, id]);
  };
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="pb-1 text-xs font-medium text-muted">{t('column.sites')}</legend>
      <Checkbox
        label={t('sites.limit')}
        checked={sites !== null}
        onChange={(event) => onSites(event.target.checked ? [] : null)}
      />
      {sites !== null && (
        <div
          role="region"
          aria-label={t('column.sites')}
          tabIndex={0}
          className="max-h-40 overflow-y-auto rounded-md border border-line px-2.5 py-1"
        >
          {all.data?.items.map((site) => (
            <Checkbox
              key={site.id}
              label={site.name}
              className="!flex"
              checked={sites.includes(site.id)}
              onChange={() => toggle(site.id)}
            />
          ))}
        </div>
      )}
    </fieldset>
  );
}
