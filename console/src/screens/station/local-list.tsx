// The list of tokens that a station keeps for when it is offline: how it stands, why, and by which rule it is kept.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Info, ListRestart, MinusCircle, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useMay } from '@/api/me';
import { number } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import type { LiveStation } from '@/live/types';
import { StateMark, Why } from '@/screens/local-lists/mark';
import {
  listQuery,
  removeRule,
  rulesQuery,
  sendList,
  setRule,
  useListNews,
} from '@/screens/local-lists/questions';
import { changeWords } from '@/screens/local-lists/rule-form';
import {
  changedBy,
  leftOutOf,
  ruleFor,
  stateOf,
  tokensOf,
  whyOf,
  type LocalList,
} from '@/screens/local-lists/standing';
import { t } from '@/screens/local-lists/text';
import { AskFirst, type Wish } from '@/ui/ask-first';
import { Button } from '@/ui/button';
import { Facts } from '@/ui/facts';
import { Ago } from '@/ui/live';
import { ErrorState, LoadingRows } from '@/ui/states';

export function StationLocalList({ stationId }: { stationId: string }) {
  const station = useStation(stationId);
  const list = useQuery(listQuery(stationId));
  useListNews(stationId);
  if (list.isError) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  if (!list.data || !station) return <LoadingRows />;
  return (
    <div
      role="region"
      aria-label={t('tab')}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto px-4 py-3 focus-visible:-outline-offset-2"
    >
      <Standing list={list.data} station={station} />
      <div className="mt-3 grid gap-x-10 gap-y-4 lg:grid-cols-2">
        <Figures list={list.data} />
        <RuleOfStation station={station} />
      </div>
    </div>
  );
}

/** How it stands and why, and the button that sends it whole. */
function Standing({ list, station }: { list: LocalList; station: LiveStation }) {
  const may = useMay('call_stations');
  const [wish, setWish] = useState<Wish | null>(null);
  const state = stateOf(list);
  const said = whyOf(list, station.connected);
  const leftOut = leftOutOf(list);
  const ask = () =>
    setWish({
      title: t('send.title', { station: station.name || station.id }),
      consequence: t(station.connected ? 'send.now' : 'send.later', {
        count: list.wanted_entries,
      }),
      action: t('send'),
      done: t(station.connected ? 'send.done' : 'send.waits'),
      destructive: false,
      run: () => sendList(station.id),
    });
  return (
    <>
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div role="status" className="min-w-0 flex-1 basis-72">
          <p className="font-semibold">
            <StateMark state={state} />
          </p>
          {said && (
            <p className="text-muted">
              <Why said={said} />
            </p>
          )}
          {list.next_at && state === 'failed' && (
            <p className="text-muted">
              {t('again', { count: list.attempts })} <Ago at={list.next_at} />
            </p>
          )}
        </div>
        {may && (
          <Button icon={ListRestart} disabled={state === 'not_kept'} onClick={ask}>
            {t('send')}
          </Button>
        )}
      </div>
      {leftOut && leftOut !== said && state !== 'in_step' && (
        <p className="mt-2 flex gap-1.5 text-muted">
          <Info aria-hidden size={15} className="mt-0.5 shrink-0" />
          <span>
            <Why said={leftOut} />
          </span>
        </p>
      )}
      {wish && <AskFirst wish={wish} onClose={() => setWish(null)} />}
    </>
  );
}

function Figures({ list }: { list: LocalList }) {
  const tokens = tokensOf(list);
  const isKnown = list.most_entries > 0;
  return (
    <section aria-labelledby="list-figures">
      <h2 id="list-figures" className="font-semibold">
        {t('figures')}
      </h2>
      <Facts
        lines={[
          [t('column.version'), list.version > 0 && number(list.version)],
          [
            t('fact.tokens'),
            tokens &&
              (tokens.held === tokens.wanted
                ? number(tokens.held)
                : t('tokens.of', { held: tokens.held, wanted: tokens.wanted })),
          ],
          [t('fact.room'), isKnown && number(list.most_entries)],
          [t('column.left_out'), isKnown && number(list.left_out)],
          [t('fact.message'), isKnown && number(list.items_per_message)],
          [t('column.told'), <Ago key="told" at={list.sent_at} />],
          [t('fact.checked'), <Ago key="checked" at={list.checked_at} />],
        ]}
      />
    </section>
  );
}

/** By which rule it is kept, and how to have another one. */
function RuleOfStation({ station }: { station: LiveStation }) {
  const may = useMay('change_tokens');
  const rules = useQuery(rulesQuery);
  const [wish, setWish] = useState<Wish | null>(null);
  if (rules.isError) return <ErrorState error={rules.error} onRetry={() => void rules.refetch()} />;
  if (!rules.data) return <LoadingRows rows={3} />;
  const { items, kept_by_default: keptByDefault } = rules.data;
  const holds = ruleFor(station, items, keptByDefault);
  const place = { site_id: null, station_id: station.id };
  const name = station.name || station.id;
  const switchTo = (kept: boolean) =>
    setWish({
      title: t(kept ? 'keep.title' : 'leave.title', { station: name }),
      consequence: t(kept ? 'form.keep.hint' : 'form.leave.hint'),
      action: t(kept ? 'keep' : 'leave'),
      destructive: false,
      run: () => setRule(place, kept),
    });
  const remove = () =>
    setWish({
      title: t('rule.remove.title', { place: name }),
      consequence: changeWords(changedBy(place, null, [station], items, keptByDefault)),
      action: t('rule.remove'),
      destructive: false,
      run: () => removeRule(place),
    });
  return (
    <section aria-labelledby="list-rule">
      <h2 id="list-rule" className="font-semibold">
        {t('rule')}
      </h2>
      <p className="py-1.5">
        {t(holds.kept ? `holds.kept.${holds.by}` : `holds.left.${holds.by}`, {
          site: station.site ?? '',
        })}
      </p>
      <div className="no-print flex flex-wrap items-center gap-2">
        {may && (
          <Button
            small
            icon={holds.kept ? MinusCircle : CircleCheck}
            onClick={() => switchTo(!holds.kept)}
          >
            {t(holds.kept ? 'leave' : 'keep')}
          </Button>
        )}
        {may && holds.by === 'station' && (
          <Button small icon={Undo2} onClick={remove}>
            {t('rule.remove')}
          </Button>
        )}
        <Link
          to="/tokens"
          search={{ tab: 'rules' }}
          className="inline-flex min-h-6 items-center text-accent hover:underline"
        >
          {t('rules.all')}
        </Link>
        <Link
          to="/tokens"
          search={{ tab: 'stations' }}
          className="inline-flex min-h-6 items-center text-accent hover:underline"
        >
          {t('lists.all')}
        </Link>
      </div>
      {wish && <AskFirst wish={wish} onClose={() => setWish(null)} />}
    </section>
  );
}
