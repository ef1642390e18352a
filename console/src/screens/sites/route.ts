import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { flag, oneOf, text, type Raw } from '@/app/search';

export const SORTS = ['name', 'place', 'stations', 'power'] as const;

export interface SitesSearch {
  tab?: 'groups' | 'tags' | undefined;
  q?: string | undefined;
  tag?: string | undefined;
  country?: string | undefined;
  sort?: (typeof SORTS)[number] | undefined;
  desc?: true | undefined;
}

export const sitesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sites',
  validateSearch: (raw: Raw): SitesSearch => ({
    tab: oneOf(raw, 'tab', ['groups', 'tags'] as const),
    q: text(raw, 'q'),
    tag: text(raw, 'tag'),
    country: text(raw, 'country'),
    sort: oneOf(raw, 'sort', SORTS),
    desc: flag(raw, 'desc'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Sites'),
});
