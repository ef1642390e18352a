import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { flag, oneOf, text, type Raw } from '@/app/search';

export const STATES = ['accepted', 'blocked', 'expired', 'invalid'] as const;
export const SORTS = ['uid', 'holder', 'kind', 'status', 'group', 'until', 'created'] as const;

export interface TokensSearch {
  q?: string | undefined;
  status?: (typeof STATES)[number] | undefined;
  group?: string | undefined;
  sort?: (typeof SORTS)[number] | undefined;
  desc?: true | undefined;
}

export const tokensRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/tokens',
  validateSearch: (raw: Raw): TokensSearch => ({
    q: text(raw, 'q'),
    status: oneOf(raw, 'status', STATES),
    group: text(raw, 'group'),
    sort: oneOf(raw, 'sort', SORTS),
    desc: flag(raw, 'desc'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Tokens'),
});
