import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Lock } from 'lucide-react';
import { useMemo, useState } from 'react';
import { api, data } from '@/api/client';
import { imageName } from '@/api/firmware';
import { useMay } from '@/api/me';
import { commandName, groupName, GROUPS, isForeign, label } from '@/commands/names';
import { blank, missing, plain, type Content } from '@/commands/schema';
import { useLive } from '@/live/hooks';
import { live } from '@/live/store';
import type { LiveStation } from '@/live/types';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, Select } from '@/ui/fields';
import { PageBody, PageHeader, Panel } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { tUi } from '@/ui/text';
import { toast } from '@/ui/toast';
import { useCampaign, type Campaign } from './behind';
import { consequence, isHarsh } from './consequence';
import { Parameters } from './parameters';
import { RawCall } from './raw';
import { commandRoute } from './route';
import { commandsQuery } from './schemas';
import { ChooseStations } from './stations';
import { percents, TermsForm, termsBody, USUAL } from './terms';
import { t } from './text';

export const TYPED_FROM = 10;

export function NewCommand() {
  const search = commandRoute.useSearch();
  const may = useMay('call_stations');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    () => new Set(search.stations?.split(',').filter(Boolean)),
  );
  const campaign = useCampaign(search.image, search.from);
  const [begun, setBegun] = useState(chosen.size > 0);
  if (campaign && !begun) {
    setBegun(true);
    setChosen(new Set(campaign.stations));
  }
  const back = { to: '/tasks', label: t('back') };
  return (
    <>
      <PageHeader title={t('title')} back={back} />
      <PageBody fill>
        {may ? (
          <div className="grid min-h-0 flex-1 gap-3 max-lg:content-start lg:grid-cols-[minmax(320px,5fr)_minmax(0,7fr)]">
            <ChooseStations chosen={chosen} onChosen={setChosen} first={search.q ?? ''} />
            <div className="flex min-h-0 min-w-0 flex-col">
              <Panel flush className="min-h-0 flex-1 overflow-hidden">
                <Kinds raw={search.kind === 'raw'} />
                {search.kind === 'raw' ? (
                  <RawCall chosen={chosen} />
                ) : (
                  <ForAnyVersion chosen={chosen} campaign={campaign} />
                )}
              </Panel>
            </div>
          </div>
        ) : (
          <div className="panel">
            <EmptyState icon={Lock} title={tUi('state.forbidden')}>
              {tUi('state.forbidden.hint')}
            </EmptyState>
          </div>
        )}
      </PageBody>
    </>
  );
}

function Kinds({ raw }: { raw: boolean }) {
  return (
    <nav aria-label={t('kind')} className="flex border-b border-line px-2">
      {([false, true] as const).map((each) => (
        <Link
          key={String(each)}
          to="."
          search={(before: Record<string, unknown>) => ({
            ...before,
            kind: each ? ('raw' as const) : undefined,
          })}
          activeOptions={{ explicitUndefined: true }}
          replace
          aria-current={each === raw ? 'page' : undefined}
          className={classes(
            '-mb-px inline-flex h-10 items-center border-b-2 px-2.5 focus-visible:-outline-offset-2',
            each === raw
              ? 'border-accent font-medium'
              : 'border-transparent text-muted hover:text-text',
          )}
        >
          {t(each ? 'kind.raw' : 'kind.command')}
        </Link>
      ))}
    </nav>
  );
}

/** Give what is known of the chosen stations now. */
export function stationsOf(chosen: ReadonlySet<string>): LiveStation[] {
  return [...chosen].map((id) => live.station(id)).filter((each) => each !== undefined);
}

function ForAnyVersion({
  chosen,
  campaign,
}: {
  chosen: ReadonlySet<string>;
  campaign: Campaign | null;
}) {
  const search = commandRoute.useSearch();
  const navigate = useNavigate({ from: '/tasks/new' });
  const queries = useQueryClient();
  const known = useQuery(commandsQuery);
  const command = search.command ?? '';
  const schema = known.data?.commands.get(command);
  const names = known.data?.names ?? {};
  const [given, setGiven] = useState((): Record<string, Content> =>
    search.image ? { update_firmware: { image_id: search.image } } : {},
  );
  const [terms, setTerms] = useState(USUAL);
  const [wrong, setWrong] = useState(false);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const value =
    given[command] ?? ((schema ? blank(schema, names) : undefined) as Content | undefined) ?? {};
  const lacking = schema ? missing(value, plain(schema, names), names) : [];
  const isLive = useLive((store) => store.ready);
  const stations = useMemo(() => (isLive ? stationsOf(chosen) : []), [chosen, isLive]);
  if (known.isError) return <ErrorState error={known.error} onRetry={() => void known.refetch()} />;
  if (!known.data) return <LoadingRows />;

  const send = async () => {
    setBusy(true);
    try {
      const body = {
        ...value,
        command,
        ...termsBody(terms),
        stations: [...chosen].sort(),
      };
      const made = await data(api.POST('/api/v1/commands', { body: body as never }));
      void queries.invalidateQueries({ queryKey: ['tasks'] });
      void navigate({ to: '/tasks/$taskId', params: { taskId: made.task_id } });
    } catch (fault) {
      toast('bad', t('refused'), fault instanceof Error ? fault.message : String(fault));
      setBusy(false);
      setAsked(false);
    }
  };
  const ready =
    schema !== undefined &&
    chosen.size > 0 &&
    lacking.length === 0 &&
    !wrong &&
    percents(terms.waves);
  const foreign = stations.filter((station) => isForeign(command, station.ocpp_version));
  const foreignKind = foreign[0] && isForeign(command, foreign[0].ocpp_version);
  const offline = stations.filter((station) => !station.connected).length;
  const action = t('give', { command: commandName(command), count: chosen.size });

  return (
    <form
      className="flex min-h-0 flex-1 flex-col"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) setAsked(true);
      }}
    >
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-3">
        <Field label={t('command')} hint={hintOf(schema?.description, command)}>
          <Select
            value={command}
            onChange={(event) =>
              void navigate({
                search: (before) => ({ ...before, command: event.target.value || undefined }),
                replace: true,
              })
            }
          >
            <option value="">{t('command.choose')}</option>
            {(Object.keys(GROUPS) as (keyof typeof GROUPS)[]).map((group) => (
              <optgroup key={group} label={groupName(group)}>
                {GROUPS[group]
                  .filter((each) => known.data.commands.has(each))
                  .map((each) => (
                    <option key={each} value={each}>
                      {commandName(each)}
                    </option>
                  ))}
              </optgroup>
            ))}
          </Select>
        </Field>
        {campaign && (
          <p className="mt-4 rounded-md border border-line bg-sunken px-3 py-2 text-muted">
            {t('campaign', {
              firmware: imageName(campaign.image),
              count: campaign.stations.length,
            })}
          </p>
        )}
        {schema && (
          <div className="mt-4">
            <Parameters
              key={command}
              schema={schema}
              names={names}
              value={value}
              onValue={(next) => setGiven((before) => ({ ...before, [command]: next }))}
              onWrong={setWrong}
            />
          </div>
        )}
        {schema && (
          <section className="mt-5 border-t border-line pt-3">
            <h2 className="mb-2 font-semibold">{t('terms')}</h2>
            <TermsForm terms={terms} onTerms={setTerms} open={search.image !== undefined} />
          </section>
        )}
        {foreignKind && (
          <p className="mt-4 text-warning">{t(foreignKind, { count: foreign.length })}</p>
        )}
      </div>
      <div className="flex flex-wrap items-center justify-end gap-3 border-t border-line px-4 py-3">
        <p className="min-w-0 flex-1 text-xs text-muted" role="status">
          {!schema || chosen.size === 0
            ? t('pick')
            : lacking.length > 0
              ? t('missing', { fields: lacking.map(path).join(', ') })
              : ''}
        </p>
        <Button type="submit" look="primary" disabled={!ready}>
          {schema && chosen.size > 0 ? action : t('title')}
        </Button>
      </div>
      {asked && (
        <ConfirmDialog
          open
          onOpenChange={(next) => !next && setAsked(false)}
          title={action}
          action={commandName(command)}
          destructive={isHarsh(command, value)}
          typed={chosen.size > TYPED_FROM ? String(chosen.size) : undefined}
          busy={busy}
          consequence={
            <>
              <p>{consequence(command, value, stations)}</p>
              {offline > 0 && (
                <p className="mt-2 text-warning">{t('q.offline', { count: offline })}</p>
              )}
            </>
          }
          onConfirm={() => void send()}
        />
      )}
    </form>
  );
}

/** The first sentence on a command, unless it says the command's name only. */
function hintOf(description: string | undefined, command: string): string | undefined {
  const first = description?.split(/ Spec:|\n/)[0]?.replaceAll('`', '');
  return first === `${commandName(command)}.` ? undefined : first;
}

/** A field's place as people read it: `Profile, Periods 1, Limit`. */
const path = (place: string) =>
  place
    .split('.')
    .map((part) => {
      const [name = '', row] = part.split(' ');
      return row ? `${label(name)} ${row}` : label(name);
    })
    .join(' › ');
