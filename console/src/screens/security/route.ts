import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { text, type Raw } from '@/app/search';

export interface SecuritySearch {
  tab?: string | undefined;
  q?: string | undefined;
}

export const securityRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/security',
  validateSearch: (raw: Raw): SecuritySearch => ({ tab: text(raw, 'tab'), q: text(raw, 'q') }),
  component: lazyRouteComponent(() => import('./screen'), 'Security'),
});
