import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, type Raw } from '@/app/search';

export const TASK_STATES = ['running', 'paused', 'done', 'cancelled'] as const;
export type TaskState = (typeof TASK_STATES)[number];

export interface TasksSearch {
  state?: TaskState | undefined;
}

export const tasksRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/tasks',
  validateSearch: (raw: Raw): TasksSearch => ({ state: oneOf(raw, 'state', TASK_STATES) }),
  component: lazyRouteComponent(() => import('./screen'), 'Tasks'),
});
