// What is asked of the server about lists of tokens in stations, and when it is asked again.
import { queryOptions } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { allPages, api, data } from '@/api/client';
import { queries } from '@/api/queries';
import { useLive } from '@/live/hooks';
import { stateOf, type Place } from './standing';

const KEY = ['local-lists'];
const TOLD = 'station.local_list';
/** When thousands of stations are told in turns, the whole list is not asked for with each of them. */
const GATHER_MS = 3000;

export const listsQuery = queryOptions({
  queryKey: [...KEY, 'all'],
  queryFn: () =>
    allPages((cursor) =>
      data(api.GET('/api/v1/local-lists', { params: { query: { limit: 1000, cursor } } })),
    ),
  refetchInterval: 30_000,
});

export const listQuery = (stationId: string) =>
  queryOptions({
    queryKey: [...KEY, 'station', stationId],
    queryFn: () =>
      data(
        api.GET('/api/v1/stations/{station_id}/local-list', {
          params: { path: { station_id: stationId } },
        }),
      ),
    // A list that falls behind is no news: only what became of it is told.
    refetchInterval: (query) =>
      query.state.data && stateOf(query.state.data) === 'behind' ? 5000 : 20_000,
  });

export const rulesQuery = queryOptions({
  queryKey: [...KEY, 'rules'],
  queryFn: () => data(api.GET('/api/v1/local-list-rules')),
});

export const askAgain = () => queries.invalidateQueries({ queryKey: KEY });

/** Ask again when the server tells of a list: of this station, or of any. */
export function useListNews(stationId?: string): void {
  const news = useLive((store) =>
    store.events.find(
      (event) => event.type === TOLD && (stationId === undefined || event.station_id === stationId),
    ),
  );
  const known = useRef(news);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    if (news === undefined || news === known.current) return;
    known.current = news;
    timer.current ??= setTimeout(
      () => {
        timer.current = undefined;
        void askAgain();
      },
      stationId === undefined ? GATHER_MS : 0,
    );
  }, [news, stationId]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
}

export async function setRule(place: Place, kept: boolean): Promise<void> {
  await api.PUT('/api/v1/local-list-rules', { body: { ...place, kept } });
  await askAgain();
}

export async function removeRule({ site_id, station_id }: Place): Promise<void> {
  const query = {
    ...(site_id === null ? {} : { site_id }),
    ...(station_id === null ? {} : { station_id }),
  };
  await api.DELETE('/api/v1/local-list-rules', { params: { query } });
  await askAgain();
}

export async function sendList(stationId: string): Promise<void> {
  await api.POST('/api/v1/stations/{station_id}/local-list/send', {
    params: { path: { station_id: stationId } },
  });
  await askAgain();
}
