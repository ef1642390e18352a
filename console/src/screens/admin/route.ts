import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, text, type Raw } from '@/app/search';

export const BY = ['site', 'model', 'station'] as const;

export interface AdminSearch {
  tab?: string | undefined;
  /** What is looked for in a list. */
  q?: string | undefined;
  /** Of the audit trail. */
  actor?: string | undefined;
  action?: string | undefined;
  object?: string | undefined;
  since?: string | undefined;
  /** The webhook whose deliveries are shown. */
  webhook?: string | undefined;
  /** Of the health report. */
  by?: (typeof BY)[number] | undefined;
}

export const adminRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/administration',
  validateSearch: (raw: Raw): AdminSearch => ({
    tab: text(raw, 'tab'),
    q: text(raw, 'q'),
    actor: text(raw, 'actor'),
    action: text(raw, 'action'),
    object: text(raw, 'object'),
    since: text(raw, 'since'),
    webhook: text(raw, 'webhook'),
    by: oneOf(raw, 'by', BY),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Administration'),
});
