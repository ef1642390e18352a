import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, text, type Raw } from '@/app/search';

export interface CommandSearch {
  /** Identities with commas between: chosen from the beginning. */
  stations?: string | undefined;
  command?: string | undefined;
  /** A value for `image_id`: a campaign from the list of firmware. */
  image?: string | undefined;
  /** With `image`: only stations that run this version. */
  from?: string | undefined;
  kind?: 'raw' | undefined;
  q?: string | undefined;
}

export const commandRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/tasks/new',
  validateSearch: (raw: Raw): CommandSearch => ({
    stations: text(raw, 'stations'),
    command: text(raw, 'command'),
    image: text(raw, 'image'),
    from: text(raw, 'from'),
    kind: oneOf(raw, 'kind', ['raw'] as const),
    q: text(raw, 'q'),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'NewCommand'),
});
