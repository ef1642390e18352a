import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { text, type Raw } from '@/app/search';

export const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sessions/$sessionId',
  validateSearch: (raw: Raw): { tab?: string | undefined } => ({ tab: text(raw, 'tab') }),
  component: lazyRouteComponent(() => import('./screen'), 'Session'),
});
