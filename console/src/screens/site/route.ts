import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { text, type Raw } from '@/app/search';

export interface SiteSearch {
  tab?: string | undefined;
}

export const siteRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sites/$siteId',
  validateSearch: (raw: Raw): SiteSearch => ({ tab: text(raw, 'tab') }),
  component: lazyRouteComponent(() => import('./screen'), 'Site'),
});
