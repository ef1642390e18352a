// What others ask of a site: limits from outside, OpenADR programmes and their events.
import { queryOptions } from '@tanstack/react-query';
import { api, data, type Schemas } from '@/api/client';

export type GridLimit = Schemas['GridLimit'];
export type Vtn = Schemas['Vtn'];
export type DemandEvent = Schemas['DemandEvent'];

const path = (site: string) => ({ params: { path: { site_id: site } } });

export const gridLimitsQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'grid-limits'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/energy/grid-limits', path(site))),
    refetchInterval: 5_000,
  });

export const vtnsQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'vtns'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/energy/vtns', path(site))),
    refetchInterval: 5_000,
  });

export const demandEventsQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'demand-events'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/energy/events', path(site))),
    refetchInterval: 5_000,
  });
