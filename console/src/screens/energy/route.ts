import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, text, type Raw } from '@/app/search';

export const TABS = ['live', 'plan', 'outside', 'history', 'circuits'] as const;
export const SPANS = ['day', 'week', 'month'] as const;

export const energyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/energy',
  validateSearch: (raw: Raw): { q?: string | undefined } => ({ q: text(raw, 'q') }),
  component: lazyRouteComponent(() => import('./list'), 'Energy'),
});

export interface SiteEnergySearch {
  tab?: (typeof TABS)[number] | undefined;
  span?: (typeof SPANS)[number] | undefined;
}

export const siteEnergyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/energy/$siteId',
  validateSearch: (raw: Raw): SiteEnergySearch => ({
    tab: oneOf(raw, 'tab', TABS),
    span: oneOf(raw, 'span', SPANS),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'SiteEnergy'),
});
