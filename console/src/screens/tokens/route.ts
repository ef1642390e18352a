import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { flag, oneOf, text, type Raw } from '@/app/search';

export const STATES = ['accepted', 'blocked', 'expired', 'invalid'] as const;
export const SORTS = ['uid', 'holder', 'kind', 'status', 'group', 'until', 'created'] as const;

/** Where the list of a station stands, what needs a person first. */
export const LIST_STATES = [
  'failed',
  'behind',
  'unsupported',
  'unknown',
  'in_step',
  'not_kept',
] as const;
export const LIST_ORDERS = [
  'station',
  'site',
  'state',
  'tokens',
  'left_out',
  'version',
  'told',
] as const;

export interface TokensSearch {
  tab?: string | undefined;
  q?: string | undefined;
  status?: (typeof STATES)[number] | undefined;
  group?: string | undefined;
  sort?: (typeof SORTS)[number] | undefined;
  desc?: true | undefined;
  /** Of the lists in stations: only those that stand so, and their order. */
  list?: (typeof LIST_STATES)[number] | undefined;
  order?: (typeof LIST_ORDERS)[number] | undefined;
  down?: true | undefined;
}

export const tokensRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/tokens',
  validateSearch: (raw: Raw): TokensSearch => ({
    tab: text(raw, 'tab'),
    q: text(raw, 'q'),
    status: oneOf(raw, 'status', STATES),
    group: text(raw, 'group'),
    sort: oneOf(raw, 'sort', SORTS),
    desc: flag(raw, 'desc'),
    list: oneOf(raw, 'list', LIST_STATES),
    order: oneOf(raw, 'order', LIST_ORDERS),
    down: flag(raw, 'down'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Tokens'),
});
