// Attempts to come in that failed, and what to do about each.
import { useQuery } from '@tanstack/react-query';
import { PlugZap } from 'lucide-react';
import { api, data, type Schemas } from '@/api/client';
import { Ago } from '@/ui/live';
import type { Said } from '@/ui/find';
import { ListTools, NothingFound, useFound } from '@/ui/query-table';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { explain } from './explain';
import { t } from './text';

export const handshakesQuery = {
  queryKey: ['handshakes'],
  queryFn: () => data(api.GET('/api/v1/handshakes')),
  refetchInterval: 2500,
};

const SAID: Said<Schemas['Handshake']>[] = [
  { header: t('station'), text: (each) => each.subject },
  { header: t('handshakes.address'), text: (each) => each.remote_address },
  { header: t('handshakes.times'), text: (each) => each.count },
  { header: t('handshakes.last'), text: (each) => each.last_at },
  { header: t('handshakes.explained'), text: explain },
  { header: t('detail'), text: (each) => each.detail },
];

export function Handshakes() {
  const query = useQuery(handshakesQuery);
  const rows = useFound(query.data?.items, SAID);
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <LoadingRows />;
  if (query.data.items.length === 0)
    return (
      <EmptyState icon={PlugZap} title={t('handshakes.none')}>
        {t('handshakes.none.hint')}
      </EmptyState>
    );
  return (
    <>
      <ListTools rows={rows} columns={SAID} label={t('tab.handshakes')} name="handshakes" search />
      {rows.length === 0 && <NothingFound any empty={null} />}
      <ul
        aria-label={t('tab.handshakes')}
        // Scrolled by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        className="min-h-0 flex-1 overflow-y-auto focus-visible:-outline-offset-2"
      >
        {rows.map((each) => (
          <li
            key={`${each.subject} ${each.remote_address} ${each.problem}`}
            className="border-b border-line px-4 py-3"
          >
            <p className="flex flex-wrap items-baseline gap-x-3">
              <span className="font-medium break-all">{each.subject}</span>
              <span className="text-xs text-muted">{each.remote_address}</span>
              <span className="text-xs text-muted tabular">
                {t('handshakes.count', { count: each.count })}
              </span>
              <span className="ml-auto text-xs text-muted">
                <Ago at={each.last_at} />
              </span>
            </p>
            <p className="mt-0.5">{explain(each)}</p>
            {each.detail && <p className="text-xs text-muted">{each.detail}</p>}
          </li>
        ))}
      </ul>
    </>
  );
}
