import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, text, type Raw } from '@/app/search';
import { STATUSES, type Status } from '@/live/status';

export interface MapSearch {
  /** The site that is looked at. */
  site?: string | undefined;
  /** Only sites with a station of this status. */
  status?: Status | undefined;
  /** What is seen: zoom/latitude/longitude. */
  at?: string | undefined;
}

export const mapRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/map',
  validateSearch: (raw: Raw): MapSearch => ({
    site: text(raw, 'site'),
    status: oneOf(raw, 'status', STATUSES),
    at: text(raw, 'at'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'MapScreen'),
});
