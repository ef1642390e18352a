import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { text, type Raw } from '@/app/search';

export interface FirmwareSearch {
  tab?: string | undefined;
  q?: string | undefined;
}

export const firmwareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/firmware',
  validateSearch: (raw: Raw): FirmwareSearch => ({ tab: text(raw, 'tab'), q: text(raw, 'q') }),
  component: lazyRouteComponent(() => import('./screen'), 'Firmware'),
});
