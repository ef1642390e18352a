// Questions to the API that more than one screen asks.
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { allPages, api, data, Problem } from './client';

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, fault) =>
        failures < 2 && !(fault instanceof Problem && fault.status < 500 && fault.status !== 0),
      refetchOnWindowFocus: false,
    },
  },
});

export const sitesQuery = queryOptions({
  queryKey: ['sites'],
  queryFn: () =>
    allPages((cursor) =>
      data(api.GET('/api/v1/sites', { params: { query: { limit: 1000, cursor } } })),
    ),
  staleTime: 60_000,
});

export const stationQuery = (id: string) =>
  queryOptions({
    queryKey: ['station', id],
    queryFn: () =>
      data(api.GET('/api/v1/stations/{station_id}', { params: { path: { station_id: id } } })),
  });

export const sessionQuery = (id: string) =>
  queryOptions({
    queryKey: ['session', id],
    queryFn: () =>
      data(api.GET('/api/v1/sessions/{session_id}', { params: { path: { session_id: id } } })),
  });
