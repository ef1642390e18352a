import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, text, type Raw } from '@/app/search';

export const STATES = ['active', 'ended', 'disputed'] as const;

export interface SessionsSearch {
  state?: (typeof STATES)[number] | undefined;
  station?: string | undefined;
  q?: string | undefined;
}

export const sessionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sessions',
  validateSearch: (raw: Raw): SessionsSearch => ({
    state: oneOf(raw, 'state', STATES),
    station: text(raw, 'station'),
    q: text(raw, 'q'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Sessions'),
});
