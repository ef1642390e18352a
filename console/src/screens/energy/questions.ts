// What the screens of energy management ask the server.
import { queryOptions } from '@tanstack/react-query';
import { api, data, type Schemas } from '@/api/client';

export type Tree = Schemas['EnergyTree'];
export type EnergySite = Omit<Schemas['EnergySite'], 'tree'> & { tree: Tree };
export type EnergyLive = Schemas['EnergyLive'];
export type EvseState = Schemas['EvseState'];
export type NodeState = Schemas['NodeState'];
export type TreeProblem = Schemas['EnergyProblem'];
export type Forecast = Schemas['EnergyForecast'];
export type SiteOrigin = Schemas['SiteOrigin'];
export type Override = Schemas['EnergyOverride'];

/** The safety loop steps every five seconds. */
const LIVE_MS = 2500;

const path = (site: string) => ({ params: { path: { site_id: site } } });

/** Take a tree out of an answer: the typed client forgets that three phases are three numbers. */
export async function answered(answer: Promise<{ data?: unknown }>): Promise<EnergySite> {
  return (await data(answer)) as EnergySite;
}

export const treeQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'tree'],
    queryFn: () => answered(api.GET('/api/v1/sites/{site_id}/energy', path(site))),
  });

export const liveQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'live'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/energy/live', path(site))),
    refetchInterval: LIVE_MS,
    staleTime: LIVE_MS,
  });

export const planQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'plan'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/energy/plan', path(site))),
    refetchInterval: 60_000,
  });

export const forecastQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'forecast'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/energy/forecast', path(site))),
    refetchInterval: 60_000,
  });

export const originQuery = (site: string, hours: number, stepS: number) =>
  queryOptions({
    queryKey: ['energy', site, 'origin', hours],
    queryFn: () =>
      data(
        api.GET('/api/v1/sites/{site_id}/energy/origin', {
          params: {
            path: { site_id: site },
            query: {
              since: new Date(Date.now() - hours * 3_600_000).toISOString(),
              step_s: stepS,
            },
          },
        }),
      ),
    refetchInterval: 300_000,
  });

export const overridesQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'overrides'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/energy/overrides', path(site))),
    refetchInterval: 15_000,
  });

export const metersQuery = (site: string) =>
  queryOptions({
    queryKey: ['energy', site, 'meters'],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}/meters', path(site))),
    refetchInterval: 10_000,
  });

export const historyQuery = (site: string, hours: number, stepS: number) =>
  queryOptions({
    queryKey: ['energy', site, 'history', hours],
    queryFn: () =>
      data(
        api.GET('/api/v1/sites/{site_id}/energy/history', {
          params: {
            path: { site_id: site },
            query: {
              since: new Date(Date.now() - hours * 3_600_000).toISOString(),
              step_s: stepS,
            },
          },
        }),
      ),
    refetchInterval: 60_000,
  });
