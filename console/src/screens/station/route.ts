import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { flag, text, type Raw } from '@/app/search';

export interface StationSearch {
  tab?: string | undefined;
  q?: string | undefined;
  /** Of the configuration: what is looked for, and only what can be written. */
  find?: string | undefined;
  writable?: true | undefined;
  /** Of the events: only this kind. */
  kind?: string | undefined;
}

export const stationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/stations/$stationId',
  validateSearch: (raw: Raw): StationSearch => ({
    tab: text(raw, 'tab'),
    q: text(raw, 'q'),
    find: text(raw, 'find'),
    writable: flag(raw, 'writable'),
    kind: text(raw, 'kind'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Station'),
});
