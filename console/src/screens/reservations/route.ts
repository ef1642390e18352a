import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, text, type Raw } from '@/app/search';

export const SPANS = ['6', '24', '168'] as const;
export const STATES = ['open', 'used', 'no_show', 'cancelled'] as const;

export interface ReservationsSearch {
  tab?: 'list' | undefined;
  /** How many hours the time line shows. */
  hours?: (typeof SPANS)[number] | undefined;
  /** Where it begins; now, if it is not there. */
  from?: string | undefined;
  state?: (typeof STATES)[number] | undefined;
  q?: string | undefined;
  /** The reservation that is looked at. */
  id?: string | undefined;
}

export const reservationsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reservations',
  validateSearch: (raw: Raw): ReservationsSearch => ({
    tab: oneOf(raw, 'tab', ['list'] as const),
    hours: oneOf(raw, 'hours', SPANS),
    from: text(raw, 'from'),
    state: oneOf(raw, 'state', STATES),
    q: text(raw, 'q'),
    id: text(raw, 'id'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Reservations'),
});
