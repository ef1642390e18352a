// Relays: stations whose frames also go to another back end. The list of all, and the one of a station.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ArrowLeftRight, CheckCircle2, CircleAlert, Plus, Waypoints } from 'lucide-react';
import { useId, useState } from 'react';
import { api, data, Problem, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { useStations } from '@/live/hooks';
import { AskFirst } from '@/ui/ask-first';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { Field, Input, Select } from '@/ui/fields';
import { FormDialog } from '@/ui/form';
import { Ago } from '@/ui/live';
import { QueryTable } from '@/ui/query-table';
import { EmptyState, ErrorState } from '@/ui/states';
import { StationLink } from './certificates';
import { t } from './relays-text';

type Relay = Schemas['ShownRelay'];
type Asked = { act: 'set'; relay: Relay | null } | { act: 'remove'; relay: Relay } | null;

const relaysKey = ['relays'];

export function RelayState({ relay }: { relay: Relay }) {
  const Icon = relay.connected ? CheckCircle2 : CircleAlert;
  return (
    <span className="inline-flex items-center gap-1.5" title={relay.detail || undefined}>
      <Icon aria-hidden size={14} className={relay.connected ? 'text-good' : 'text-warning'} />
      {t(relay.connected ? 'connected' : 'away')}
    </span>
  );
}

export function Relays() {
  const may = useMay('lower_security');
  const [asked, setAsked] = useState<Asked>(null);
  const query = useQuery({
    queryKey: relaysKey,
    queryFn: () => data(api.GET('/api/v1/relays')),
    refetchInterval: 5000,
  });
  const columns: Column<Relay>[] = [
    {
      id: 'station',
      header: t('station'),
      width: 'minmax(140px, 1fr)',
      text: (relay) => relay.station_id,
      cell: (relay) => <StationLink id={relay.station_id} />,
    },
    {
      id: 'state',
      header: t('state'),
      width: '150px',
      text: (relay) => t(relay.connected ? 'connected' : 'away'),
      cell: (relay) => <RelayState relay={relay} />,
    },
    {
      id: 'url',
      header: t('url'),
      width: 'minmax(180px, 2fr)',
      text: (relay) => relay.url,
      cell: (relay) => (
        <span className="font-mono text-xs" title={relay.url}>
          {relay.url}
        </span>
      ),
    },
    {
      id: 'authority',
      header: t('authority'),
      width: '150px',
      text: (relay) => t(`authority.${relay.authority}`),
      cell: (relay) => t(`authority.${relay.authority}`),
    },
    {
      id: 'detail',
      header: t('detail'),
      width: 'minmax(120px, 2fr)',
      text: (relay) => relay.detail,
      cell: (relay) => (
        <span className="text-muted" title={relay.detail}>
          {relay.detail}
        </span>
      ),
    },
    {
      id: 'since',
      header: t('since'),
      width: '100px',
      align: 'right',
      text: (relay) => relay.created_at,
      cell: (relay) => (
        <span title={relay.created_by}>
          <Ago at={relay.created_at} />
        </span>
      ),
    },
    {
      id: 'act',
      header: '',
      width: '180px',
      align: 'right',
      cell: (relay) =>
        may && (
          <span className="inline-flex gap-1.5">
            <Button small onClick={() => setAsked({ act: 'set', relay })}>
              {t('change')}
            </Button>
            <Button small onClick={() => setAsked({ act: 'remove', relay })}>
              {t('remove')}
            </Button>
          </span>
        ),
    },
  ];
  const add = () => setAsked({ act: 'set', relay: null });
  return (
    <>
      <QueryTable
        query={query}
        label={t('title')}
        columns={columns}
        rowKey={(relay) => relay.station_id}
        rowHeight={40}
        name="relays"
        search
        actions={
          may && (
            <Button icon={Plus} onClick={add}>
              {t('add')}
            </Button>
          )
        }
        empty={
          <EmptyState
            icon={Waypoints}
            title={t('none')}
            action={may && <Button onClick={add}>{t('add')}</Button>}
          >
            {t('none.hint')}
          </EmptyState>
        }
      />
      <RelayDialogs asked={asked} onClose={() => setAsked(null)} />
    </>
  );
}

/** A station's relay, for its details. */
export function StationRelay({ stationId }: { stationId: string }) {
  const may = useMay('lower_security');
  const mayView = useMay('view_messages');
  const [asked, setAsked] = useState<Asked>(null);
  const query = useQuery({
    queryKey: [...relaysKey, stationId],
    queryFn: async () => {
      try {
        return await data(
          api.GET('/api/v1/stations/{station_id}/relay', {
            params: { path: { station_id: stationId } },
          }),
        );
      } catch (fault) {
        if (fault instanceof Problem && fault.status === 404) return null;
        throw fault;
      }
    },
    enabled: mayView,
    refetchInterval: (current) => (current.state.data ? 5000 : false),
  });
  if (!mayView || query.isPending) return null;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const relay = query.data;
  return (
    <section aria-labelledby="relay" className="mt-5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 id="relay" className="font-semibold">
          {t('one')}
        </h2>
        {relay ? (
          <>
            <RelayState relay={relay} />
            <span className="min-w-0 flex-1 font-mono text-xs break-all">{relay.url}</span>
            <span className="text-muted">{t(`authority.${relay.authority}`)}</span>
          </>
        ) : (
          <p className="min-w-0 flex-1 text-xs text-muted">{t('station.none')}</p>
        )}
        {may && (
          <span className="inline-flex gap-1.5">
            <Button small icon={ArrowLeftRight} onClick={() => setAsked({ act: 'set', relay })}>
              {t(relay ? 'change' : 'add')}
            </Button>
            {relay && (
              <Button small onClick={() => setAsked({ act: 'remove', relay })}>
                {t('remove')}
              </Button>
            )}
          </span>
        )}
      </div>
      {relay?.detail && <p className="mt-1 text-xs text-muted">{relay.detail}</p>}
      <RelayDialogs asked={asked} station={stationId} onClose={() => setAsked(null)} />
    </section>
  );
}

function RelayDialogs({
  asked,
  station,
  onClose,
}: {
  asked: Asked;
  station?: string;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  if (!asked) return null;
  if (asked.act === 'set')
    return <SetRelay relay={asked.relay} station={station ?? ''} onClose={onClose} />;
  return (
    <AskFirst
      wish={{
        title: t('remove.title', { station: asked.relay.station_id }),
        consequence: t('remove.consequence'),
        action: t('remove'),
        failed: t('refused'),
        run: () =>
          api
            .DELETE('/api/v1/stations/{station_id}/relay', {
              params: { path: { station_id: asked.relay.station_id } },
            })
            .then(() => queries.invalidateQueries({ queryKey: relaysKey })),
      }}
      onClose={onClose}
    />
  );
}

function SetRelay({
  relay,
  station,
  onClose,
}: {
  relay: Relay | null;
  station: string;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const stations = useStations(5000);
  const list = useId();
  const [given, setGiven] = useState({
    station: relay?.station_id ?? station,
    url: relay?.url ?? '',
    password: '',
    authority: relay?.authority ?? ('other' as const),
  });
  const fixed = relay !== null || station !== '';
  return (
    <FormDialog
      title={relay ? t('change.title', { station: relay.station_id }) : t('add')}
      description={t('set.consequence')}
      action={relay ? t('change.do') : t('add.do')}
      disabled={!given.station.trim() || !given.url.trim()}
      onClose={onClose}
      onSubmit={async () => {
        await api.PUT('/api/v1/stations/{station_id}/relay', {
          params: { path: { station_id: given.station.trim() } },
          body: { url: given.url.trim(), password: given.password, authority: given.authority },
        });
        await queries.invalidateQueries({ queryKey: relaysKey });
        onClose();
      }}
    >
      {(errorOf) => (
        <>
          {!fixed && (
            <>
              <Field label={t('station')}>
                <Input
                  list={list}
                  autoComplete="off"
                  value={given.station}
                  onChange={(event) => setGiven({ ...given, station: event.target.value })}
                />
              </Field>
              <datalist id={list}>
                {stations.map((each) => (
                  <option key={each.id} value={each.id} />
                ))}
              </datalist>
            </>
          )}
          <Field label={t('url')} hint={t('url.hint')} error={errorOf('url')}>
            <Input
              type="url"
              placeholder="wss://old.example.com/ocpp"
              value={given.url}
              onChange={(event) => setGiven({ ...given, url: event.target.value })}
            />
          </Field>
          <Field
            label={t('password')}
            hint={t(relay ? 'password.again' : 'password.hint')}
            error={errorOf('password')}
          >
            <Input
              type="password"
              autoComplete="off"
              value={given.password}
              onChange={(event) => setGiven({ ...given, password: event.target.value })}
            />
          </Field>
          <Field label={t('authority')} hint={t(`authority.${given.authority}.hint`)}>
            <Select
              value={given.authority}
              onChange={(event) =>
                setGiven({
                  ...given,
                  authority: event.target.value === 'other' ? 'other' : 'pilotwire',
                })
              }
            >
              <option value="other">{t('authority.other')}</option>
              <option value="pilotwire">{t('authority.pilotwire')}</option>
            </Select>
          </Field>
        </>
      )}
    </FormDialog>
  );
}
