import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Ellipsis, Plus, Webhook as WebhookIcon } from 'lucide-react';
import { useMemo, useState } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { queries } from '@/api/queries';
import { absolute, moment, NOTHING, number } from '@/i18n/quantity';
import { AskFirst, type Wish } from '@/ui/ask-first';
import { Button, IconButton } from '@/ui/button';
import { DataTable, type Column } from '@/ui/data-table';
import { Dialog } from '@/ui/dialog';
import { Facts } from '@/ui/facts';
import { Checkbox, Field, Input } from '@/ui/fields';
import { faultText, FormDialog } from '@/ui/form';
import { Ago } from '@/ui/live';
import { Menu, MenuDivider, MenuItem } from '@/ui/menu';
import { QueryTable } from '@/ui/query-table';
import { SecretDialog } from '@/ui/secret';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { adminRoute } from './route';
import { t } from './text';

type Webhook = Schemas['Webhook'];
type Delivery = Schemas['Delivery'];

const again = () => queries.invalidateQueries({ queryKey: ['webhooks'] });
const nameOf = (webhook: Webhook) => webhook.name || webhook.url;

export function Webhooks() {
  const { webhook: chosen } = adminRoute.useSearch();
  const navigate = useNavigate({ from: '/administration' });
  const choose = (webhook: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, webhook }), replace: true });
  const webhooks = useQuery({
    queryKey: ['webhooks'],
    queryFn: () =>
      allPages((cursor) =>
        data(api.GET('/api/v1/webhooks', { params: { query: { limit: 1000, cursor } } })),
      ),
    refetchInterval: 10_000,
  });
  const [editing, setEditing] = useState<Webhook | 'new' | null>(null);
  const [secret, setSecret] = useState<{ name: string; secret: string } | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const path = (webhook: Webhook) => ({ params: { path: { webhook_id: webhook.id } } });
  const ping = async (webhook: Webhook) => {
    try {
      const answer = await data(api.POST('/api/v1/webhooks/{webhook_id}/ping', path(webhook)));
      if (answer.state === 'delivered')
        toast('good', t('ping.good'), `${answer.status_code ?? ''} · ${answer.latency_ms ?? 0} ms`);
      else toast('bad', t('ping.bad'), answer.error || `HTTP ${answer.status_code ?? ''}`);
    } catch (fault) {
      toast('bad', t('ping.bad'), faultText(fault));
    }
    await again();
  };
  const acts = (webhook: Webhook) => (
    <Menu
      trigger={
        <IconButton
          icon={Ellipsis}
          className="!size-7"
          label={t('acts', { name: nameOf(webhook) })}
        />
      }
    >
      <MenuItem onSelect={() => void ping(webhook)}>{t('ping')}</MenuItem>
      <MenuItem onSelect={() => setTimeout(() => choose(webhook.id))}>{t('deliveries')}</MenuItem>
      <MenuItem onSelect={() => setTimeout(() => setEditing(webhook))}>{t('edit')}</MenuItem>
      <MenuItem
        onSelect={() =>
          setTimeout(() =>
            setWish({
              title: t('rotate.title', { name: nameOf(webhook) }),
              consequence: t('rotate.consequence'),
              action: t('rotate'),
              done: t('rotate.done'),
              run: async () =>
                setSecret(
                  await data(
                    api.POST('/api/v1/webhooks/{webhook_id}/rotate-secret', {
                      ...path(webhook),
                      body: { keep_previous_s: 86_400 },
                    }),
                  ),
                ),
            }),
          )
        }
      >
        {t('rotate')}
      </MenuItem>
      <MenuItem
        onSelect={() =>
          void api
            .PATCH('/api/v1/webhooks/{webhook_id}', {
              ...path(webhook),
              body: { enabled: !webhook.enabled },
            })
            .then(again)
            .catch((fault: unknown) => toast('bad', t('failed'), faultText(fault)))
        }
      >
        {t(webhook.enabled ? 'webhook.pause' : 'webhook.resume')}
      </MenuItem>
      <MenuDivider />
      <MenuItem
        destructive
        onSelect={() =>
          setTimeout(() =>
            setWish({
              title: t('webhook.remove.title', { name: nameOf(webhook) }),
              consequence: t('webhook.remove.consequence', { count: webhook.waiting }),
              action: t('webhook.remove'),
              done: t('webhook.removed'),
              run: () => api.DELETE('/api/v1/webhooks/{webhook_id}', path(webhook)).then(again),
            }),
          )
        }
      >
        {t('webhook.remove')}
      </MenuItem>
    </Menu>
  );
  const columns: Column<Webhook>[] = [
    {
      id: 'name',
      header: t('column.name'),
      width: 'minmax(140px, 1fr)',
      text: (webhook) => webhook.name,
      cell: (webhook) => (
        <button
          type="button"
          onClick={() => choose(webhook.id)}
          className="block max-w-full truncate font-medium hover:underline"
        >
          {nameOf(webhook)}
        </button>
      ),
    },
    {
      id: 'url',
      header: t('webhook.url'),
      width: 'minmax(180px, 1.6fr)',
      text: (webhook) => webhook.url,
      cell: (webhook) => <span className="text-muted">{webhook.url}</span>,
    },
    {
      id: 'events',
      header: t('webhook.events'),
      width: '90px',
      align: 'right',
      // Which they are does not fit into the column, but is what one looks for.
      text: (webhook) => webhook.events.join(' '),
      cell: (webhook) => number(webhook.events.length),
    },
    {
      id: 'waiting',
      header: t('webhook.waiting'),
      width: '90px',
      align: 'right',
      text: (webhook) => webhook.waiting,
      cell: (webhook) => number(webhook.waiting),
    },
    {
      id: 'delivered',
      header: t('webhook.delivered'),
      width: '130px',
      text: (webhook) => webhook.delivered_at,
      cell: (webhook) => <Ago at={webhook.delivered_at} />,
    },
    {
      id: 'state',
      header: t('column.state'),
      width: 'minmax(130px, 1fr)',
      text: stateOf,
      cell: (webhook) => <WebhookState webhook={webhook} />,
    },
    { id: 'act', header: '', width: '44px', align: 'right', cell: acts },
  ];
  const shown = webhooks.data?.items.find((each) => each.id === chosen);
  return (
    <>
      <QueryTable
        query={webhooks}
        label={t('tab.webhooks')}
        hint={t('webhooks.hint')}
        columns={columns}
        rowKey={(webhook) => webhook.id}
        name="webhooks"
        search
        actions={
          <Button look="primary" icon={Plus} onClick={() => setEditing('new')}>
            {t('webhook.add')}
          </Button>
        }
        onOpen={(webhook) => choose(webhook.id)}
        phoneRow={(webhook) => (
          <div className="flex items-center gap-2">
            <div className="min-w-0 flex-1">
              <p className="truncate font-medium">{nameOf(webhook)}</p>
              <WebhookState webhook={webhook} />
            </div>
            {acts(webhook)}
          </div>
        )}
        empty={
          <EmptyState icon={WebhookIcon} title={t('webhooks.empty')}>
            {t('webhooks.empty.hint')}
          </EmptyState>
        }
      />
      {shown && <Deliveries webhook={shown} onClose={() => choose(undefined)} />}
      {editing && (
        <WebhookForm
          webhook={editing === 'new' ? null : editing}
          onClose={() => setEditing(null)}
          onMade={setSecret}
        />
      )}
      {secret && (
        <SecretDialog
          title={t('webhook.secret')}
          description={t('webhook.once')}
          lines={[[t('key'), secret.secret]]}
          onClose={() => setSecret(null)}
        />
      )}
      {wish && <AskFirst wish={wish} onClose={() => setWish(null)} />}
    </>
  );
}

function stateOf(webhook: Webhook): string {
  if (!webhook.enabled) return webhook.disabled_reason || t('webhook.paused');
  if (!webhook.failing_since) return t('webhook.good');
  return `${t('webhook.failing', { count: webhook.failures })} ${webhook.failing_since}`;
}

function WebhookState({ webhook }: { webhook: Webhook }) {
  if (!webhook.enabled)
    return (
      <span className="text-warning" title={webhook.disabled_reason}>
        {stateOf(webhook)}
      </span>
    );
  if (webhook.failing_since)
    return (
      <span className="text-warning">
        {t('webhook.failing', { count: webhook.failures })} <Ago at={webhook.failing_since} />
      </span>
    );
  return <span>{stateOf(webhook)}</span>;
}

function WebhookForm({
  webhook,
  onClose,
  onMade,
}: {
  webhook: Webhook | null;
  onClose: () => void;
  onMade: (made: { name: string; secret: string }) => void;
}) {
  const types = useQuery({
    queryKey: ['webhook-events'],
    queryFn: () => data(api.GET('/api/v1/webhook-events')),
    staleTime: Infinity,
  });
  const [name, setName] = useState(webhook?.name ?? '');
  const [url, setUrl] = useState(webhook?.url ?? 'https://');
  const [events, setEvents] = useState<readonly string[]>(webhook?.events ?? []);
  const submit = async () => {
    const body = { name: name.trim(), url: url.trim(), events: [...events] };
    if (webhook) {
      await api.PATCH('/api/v1/webhooks/{webhook_id}', {
        params: { path: { webhook_id: webhook.id } },
        body,
      });
    } else onMade(await data(api.POST('/api/v1/webhooks', { body })));
    await again();
    onClose();
  };
  return (
    <FormDialog
      wide
      title={webhook ? t('people.edit', { name: nameOf(webhook) }) : t('webhook.add')}
      description={webhook ? undefined : t('webhook.add.hint')}
      action={webhook ? t('save') : t('webhook.add')}
      disabled={events.length === 0 || url.length < 10}
      onClose={onClose}
      onSubmit={submit}
    >
      {(errorOf) => (
        <>
          <Field label={t('webhook.url')} error={errorOf('url')}>
            <Input
              type="url"
              required
              value={url}
              onChange={(event) => setUrl(event.target.value)}
            />
          </Field>
          <Field label={t('column.name')} error={errorOf('name')}>
            <Input value={name} maxLength={200} onChange={(event) => setName(event.target.value)} />
          </Field>
          <fieldset>
            <legend className="pb-1 text-xs font-medium text-muted">
              {t('webhook.events.chosen', { count: events.length })}
            </legend>
            {types.isPending && <LoadingRows rows={4} />}
            <div
              role="region"
              aria-label={t('webhook.events')}
              tabIndex={0}
              className="max-h-72 overflow-y-auto rounded-md border border-line px-3 py-1.5"
            >
              {types.data?.items.map((each) => (
                <Checkbox
                  key={each.type}
                  className="!flex !items-start py-1"
                  label={
                    <>
                      <span className="font-mono text-xs">{each.type}</span>
                      <span className="block text-xs text-muted">{each.description}</span>
                    </>
                  }
                  checked={events.includes(each.type)}
                  onChange={(event) =>
                    setEvents((before) =>
                      event.target.checked
                        ? [...before, each.type]
                        : before.filter((type) => type !== each.type),
                    )
                  }
                />
              ))}
            </div>
          </fieldset>
        </>
      )}
    </FormDialog>
  );
}

function Deliveries({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const deliveries = useInfiniteQuery({
    queryKey: ['webhooks', webhook.id, 'deliveries'],
    queryFn: ({ pageParam }) =>
      data(
        api.GET('/api/v1/webhooks/{webhook_id}/deliveries', {
          params: {
            path: { webhook_id: webhook.id },
            query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: 5000,
  });
  const [open, setOpen] = useState<number | null>(null);
  const rows = useMemo(
    () => deliveries.data?.pages.flatMap((page) => page.items) ?? [],
    [deliveries.data],
  );
  const columns = useMemo<Column<Delivery>[]>(
    () => [
      {
        id: 'at',
        header: t('audit.at'),
        width: '150px',
        cell: (each) => (
          <button
            type="button"
            className="tabular hover:underline"
            onClick={() => setOpen(each.id)}
          >
            {moment(each.created_at)}
          </button>
        ),
      },
      {
        id: 'type',
        header: t('delivery.type'),
        width: 'minmax(140px, 1fr)',
        cell: (each) => <span className="font-mono text-xs">{each.type}</span>,
      },
      {
        id: 'state',
        header: t('column.state'),
        width: '104px',
        cell: (each) => t(`delivery.${each.state}`),
      },
      {
        id: 'code',
        header: 'HTTP',
        width: '60px',
        align: 'right',
        cell: (each) => each.status_code ?? NOTHING,
      },
      {
        id: 'latency',
        header: t('delivery.latency'),
        width: '84px',
        align: 'right',
        cell: (each) => (each.latency_ms === null ? NOTHING : `${number(each.latency_ms)} ms`),
      },
    ],
    [],
  );
  return (
    <Dialog
      open
      wide
      onOpenChange={(is) => !is && onClose()}
      title={t('deliveries.of', { name: nameOf(webhook) })}
    >
      <div className="-mx-5 flex h-[60dvh] flex-col">
        {deliveries.isError ? (
          <ErrorState error={deliveries.error} onRetry={() => void deliveries.refetch()} />
        ) : (
          <DataTable
            label={t('deliveries')}
            rows={rows}
            rowKey={(each) => String(each.id)}
            columns={columns}
            loading={deliveries.isPending}
            onOpen={(each) => setOpen(each.id)}
            onEnd={() => {
              if (deliveries.hasNextPage && !deliveries.isFetchingNextPage)
                void deliveries.fetchNextPage();
            }}
            empty={
              <EmptyState title={t('deliveries.none')}>{t('deliveries.none.hint')}</EmptyState>
            }
          />
        )}
      </div>
      {open !== null && (
        <DeliveryDialog webhookId={webhook.id} id={open} onClose={() => setOpen(null)} />
      )}
    </Dialog>
  );
}

function DeliveryDialog({
  webhookId,
  id,
  onClose,
}: {
  webhookId: string;
  id: number;
  onClose: () => void;
}) {
  const path = { webhook_id: webhookId, delivery_id: id };
  const delivery = useQuery({
    queryKey: ['webhooks', webhookId, 'delivery', id],
    queryFn: () =>
      data(api.GET('/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}', { params: { path } })),
  });
  const replay = async () => {
    try {
      await api.POST('/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay', {
        params: { path },
      });
      toast('good', t('replay.done'));
      await again();
      onClose();
    } catch (fault) {
      toast('bad', t('failed'), faultText(fault));
    }
  };
  const found = delivery.data;
  return (
    <Dialog
      open
      wide
      onOpenChange={(is) => !is && onClose()}
      title={found?.type ?? t('deliveries')}
      footer={<Button onClick={() => void replay()}>{t('replay')}</Button>}
    >
      {delivery.isError ? (
        <ErrorState error={delivery.error} />
      ) : !found ? (
        <LoadingRows />
      ) : (
        <>
          <Facts
            lines={[
              [t('column.state'), t(`delivery.${found.state}`)],
              [t('audit.at'), absolute(found.created_at)],
              [t('delivery.attempts'), number(found.attempts)],
              [t('delivery.next'), found.next_at && absolute(found.next_at)],
              ['HTTP', found.status_code],
              [t('delivery.error'), found.error],
              [t('delivery.response'), found.response],
            ]}
          />
          <pre
            role="region"
            aria-label={t('delivery.body')}
            // Scrolled by keyboard.
            tabIndex={0}
            className="my-2 max-h-64 overflow-auto rounded-md bg-sunken p-3 font-mono text-xs"
          >
            {JSON.stringify(found.body, null, 2)}
          </pre>
        </>
      )}
    </Dialog>
  );
}
