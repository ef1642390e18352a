import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { flag, oneOf, someOf, text, type Raw } from '@/app/search';
import { STATUSES, type Status } from '@/live/status';

export const SORTS = ['triage', 'name', 'site', 'power', 'model', 'firmware', 'seen'] as const;

export interface StationsSearch {
  q?: string | undefined;
  status?: Status[] | undefined;
  site?: string | undefined;
  /** Newcomers that wait to be admitted. */
  pending?: true | undefined;
  sort?: (typeof SORTS)[number] | undefined;
  desc?: true | undefined;
}

export const stationsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/stations',
  validateSearch: (raw: Raw): StationsSearch => ({
    q: text(raw, 'q'),
    status: someOf(raw, 'status', STATUSES),
    site: text(raw, 'site'),
    pending: flag(raw, 'pending'),
    sort: oneOf(raw, 'sort', SORTS),
    desc: flag(raw, 'desc'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Stations'),
});
