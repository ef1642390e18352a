import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, type Raw } from '@/app/search';

export const RESULT_STATES = [
  'queued',
  'sent',
  'accepted',
  'done',
  'rejected',
  'failed',
  'timed_out',
  'expired',
  'cancelled',
  'unknown',
] as const;
export type ResultState = (typeof RESULT_STATES)[number];

export interface TaskSearch {
  state?: ResultState | undefined;
}

export const taskRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/tasks/$taskId',
  validateSearch: (raw: Raw): TaskSearch => ({ state: oneOf(raw, 'state', RESULT_STATES) }),
  component: lazyRouteComponent(() => import('./screen'), 'TaskScreen'),
});
