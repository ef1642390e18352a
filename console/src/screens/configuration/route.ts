import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { text, type Raw } from '@/app/search';

export interface ConfigurationSearch {
  tab?: string | undefined;
  q?: string | undefined;
}

export const configurationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/configuration',
  validateSearch: (raw: Raw): ConfigurationSearch => ({ tab: text(raw, 'tab'), q: text(raw, 'q') }),
  component: lazyRouteComponent(() => import('./screen'), 'Configuration'),
});
