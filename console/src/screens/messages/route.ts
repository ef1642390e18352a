import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { text, type Raw } from '@/app/search';

export interface MessagesSearch {
  station?: string | undefined;
  q?: string | undefined;
}

export const messagesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/messages',
  validateSearch: (raw: Raw): MessagesSearch => ({
    station: text(raw, 'station'),
    q: text(raw, 'q'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Messages'),
});
