// The frames of a station, live: call and answer in one row, the newest first.
import { useInfiniteQuery } from '@tanstack/react-query';
import {
  ArrowDownLeft,
  ArrowUpRight,
  Download,
  MessageSquareText,
  Pause,
  Play,
  Wrench,
} from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useShortcut } from '@/app/shortcuts';
import { number, timeZone } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { DataTable, type Column } from '@/ui/data-table';
import { SearchField, Select } from '@/ui/fields';
import { Menu, MenuItem } from '@/ui/menu';
import { EmptyState, ErrorState } from '@/ui/states';
import { ExchangeDetail } from './detail';
import { askMessages, downloadMessages } from './export';
import {
  fits,
  gist,
  mergeFrames,
  ONLY,
  pair,
  repairs,
  summary,
  type Exchange,
  type Frame,
  type Only,
} from './pairs';
import { t } from './text';

const POLLED_MS = 2000;
const PAGE = 100;

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

function useFrames(stationId: string, paused: boolean) {
  const pages = useInfiniteQuery({
    queryKey: ['messages', stationId],
    queryFn: ({ pageParam, signal }) => askMessages(stationId, PAGE, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: Infinity,
  });
  const { dataUpdatedAt } = pages;
  const older = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const [fresh, setFresh] = useState<Frame[]>([]);
  const hasPages = dataUpdatedAt > 0;
  useEffect(() => setFresh([]), [stationId]);
  useEffect(() => {
    if (!hasPages) return undefined;
    let over = false;
    const poll = async () => {
      if (document.hidden) return;
      try {
        const page = await askMessages(stationId, PAGE);
        if (!over) setFresh((known) => mergeFrames(page.items, known).slice(0, 5000));
      } catch {
        // The live mark of the page tells of a lost server; the next poll tries again.
      }
    };
    const timer = setInterval(() => void poll(), POLLED_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [stationId, hasPages]);
  const all = useMemo(() => mergeFrames(fresh, older), [fresh, older]);
  const held = useRef(all);
  if (!paused) held.current = all;
  return { ...pages, frames: held.current, waiting: all.length - held.current.length };
}

export function MessageTail({
  stationId,
  filter,
  onFilter,
}: {
  stationId: string;
  filter: string;
  onFilter: (filter: string) => void;
}) {
  const [paused, setPaused] = useState(false);
  const [only, setOnly] = useState<Only>('all');
  const [openKey, setOpenKey] = useState<string | null>(null);
  useShortcut('p', t('pause'), () => setPaused((before) => !before));
  const frames = useFrames(stationId, paused);
  const exchanges = useMemo(() => pair(frames.frames), [frames.frames]);
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = exchanges.filter((exchange) => fits(exchange, only, words));
  const open = shown.find((exchange) => exchange.key === openKey) ?? null;

  if (frames.isError) {
    return <ErrorState error={frames.error} onRetry={() => void frames.refetch()} />;
  }
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-2 px-4 py-2.5">
        <SearchField
          label={t('search')}
          value={filter}
          onValue={onFilter}
          shortcut="/"
          className="w-64 max-sm:min-w-44 max-sm:flex-1"
        />
        <Select
          aria-label={t('only')}
          value={only}
          onChange={(event) => setOnly(ONLY.find((each) => each === event.target.value) ?? 'all')}
          className="!w-40"
        >
          {ONLY.map((each) => (
            <option key={each} value={each}>
              {t(`only.${each}`)}
            </option>
          ))}
        </Select>
        <Button
          icon={paused ? Play : Pause}
          aria-pressed={paused}
          onClick={() => setPaused(!paused)}
        >
          {t(paused ? 'resume' : 'pause')}
        </Button>
        <span role="status" className="text-xs text-warning tabular">
          {paused && t('paused', { count: frames.waiting })}
        </span>
        <div className="ml-auto flex items-center gap-3">
          <span className="text-xs text-muted max-md:hidden">{t('zone', { zone: timeZone })}</span>
          <Menu
            trigger={
              <Button icon={Download} disabled={shown.length === 0}>
                {t('export')}
              </Button>
            }
          >
            {(['csv', 'jsonl'] as const).map((ending) => (
              <MenuItem
                key={ending}
                onSelect={() =>
                  downloadMessages(stationId, (each) => fits(each, only, words), ending)
                }
              >
                {t(`export.${ending}`)}
              </MenuItem>
            ))}
          </Menu>
        </div>
      </div>
      <div className="flex min-h-0 flex-1">
        <DataTable
          label={t('table', { station: stationId })}
          rows={shown}
          rowKey={exchangeKey}
          columns={COLUMNS}
          phoneRow={(exchange) => <PhoneRow exchange={exchange} />}
          onOpen={(exchange) => setOpenKey(exchange.key === openKey ? null : exchange.key)}
          isOpen={(exchange) => exchange.key === openKey}
          loading={frames.isPending}
          onEnd={() => {
            if (frames.hasNextPage && !frames.isFetchingNextPage) void frames.fetchNextPage();
          }}
          freeze
          className="border-t border-line"
          empty={
            exchanges.length === 0 ? (
              <EmptyState icon={MessageSquareText} title={t('empty')}>
                {t('empty.hint')}
              </EmptyState>
            ) : (
              <EmptyState icon={MessageSquareText} title={t('none')}>
                {t('none.hint')}
              </EmptyState>
            )
          }
        />
        {open && <ExchangeDetail key={open.key} exchange={open} onClose={() => setOpenKey(null)} />}
      </div>
    </div>
  );
}

const exchangeKey = (exchange: Exchange) => exchange.key;

function Direction({ exchange }: { exchange: Exchange }) {
  const inward = exchange.call.direction === 'in';
  const Arrow = inward ? ArrowDownLeft : ArrowUpRight;
  return (
    <span
      className="inline-flex items-center align-middle"
      title={t(inward ? 'direction.in' : 'direction.out')}
    >
      <Arrow aria-hidden size={14} className={inward ? 'text-muted' : 'text-accent'} />
      <span className="sr-only">{t(inward ? 'direction.in' : 'direction.out')}</span>
    </span>
  );
}

function Answer({ exchange }: { exchange: Exchange }) {
  const { call, answer } = exchange;
  if (call.type === 'send') return null;
  if (!answer) return <span className="text-warning">{t('answer.none')}</span>;
  const bad = answer.type === 'error' || answer.type === 'result_error';
  return <span className={bad ? 'font-medium text-danger' : 'text-muted'}>{gist(answer)}</span>;
}

function Repairs({ exchange }: { exchange: Exchange }) {
  const found = repairs(exchange);
  if (found.length === 0) return null;
  return (
    <span
      className="ml-2 inline-flex items-center gap-1 rounded bg-warning-soft px-1 text-xs text-warning"
      title={found.join(', ')}
    >
      <Wrench aria-hidden size={11} />
      {t('repaired', { count: found.length })}
    </span>
  );
}

const COLUMNS: Column<Exchange>[] = [
  {
    id: 'direction',
    header: t('column.direction'),
    headerHidden: true,
    width: '26px',
    cell: (exchange) => <Direction exchange={exchange} />,
  },
  {
    id: 'time',
    header: t('column.time'),
    width: '112px',
    cell: ({ call }) => (
      <time dateTime={call.at} className="text-muted tabular">
        {clock.format(new Date(call.at))}
      </time>
    ),
  },
  {
    id: 'action',
    header: t('column.action'),
    width: 'minmax(170px, 230px)',
    cell: (exchange) => (
      <>
        <button type="button" data-opens-row className="font-medium hover:underline">
          {exchange.call.action}
        </button>
        <Repairs exchange={exchange} />
      </>
    ),
  },
  {
    id: 'payload',
    header: t('column.payload'),
    width: 'minmax(200px, 1fr)',
    cell: ({ call }) => <span className="text-muted">{summary(call.payload)}</span>,
  },
  {
    id: 'answer',
    header: t('column.answer'),
    width: '120px',
    cell: (exchange) => <Answer exchange={exchange} />,
  },
  {
    id: 'latency',
    header: t('column.latency'),
    width: '72px',
    align: 'right',
    cell: ({ latencyMs }) => (
      <span className="text-muted">{latencyMs === null ? '–' : `${number(latencyMs)} ms`}</span>
    ),
  },
];

function PhoneRow({ exchange }: { exchange: Exchange }) {
  return (
    <div className="flex items-center gap-2.5">
      <Direction exchange={exchange} />
      <div className="min-w-0 flex-1">
        <p className="truncate">
          <button type="button" data-opens-row className="font-medium">
            {exchange.call.action}
          </button>
          <Repairs exchange={exchange} />
        </p>
        <span className="block truncate text-xs text-muted">{summary(exchange.call.payload)}</span>
      </div>
      <span className={classes('text-right text-xs text-muted tabular')}>
        {clock.format(new Date(exchange.call.at)).slice(0, 8)}
        <br />
        <Answer exchange={exchange} />
      </span>
    </div>
  );
}
