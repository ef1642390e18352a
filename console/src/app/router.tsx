import {
  createRouter,
  parseSearchWith,
  stringifySearchWith,
  type ErrorComponentProps,
} from '@tanstack/react-router';
import { Link } from '@tanstack/react-router';
import { Compass, TriangleAlert } from 'lucide-react';
import { Button } from '@/ui/button';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, LoadingRows } from '@/ui/states';
import { routes } from './registry';
import { rootRoute } from './root-route';
import { Shell } from './shell';
import { tApp } from './text';

function Missing() {
  return (
    <>
      <PageHeader title={tApp('missing.title')} />
      <EmptyState
        icon={Compass}
        title={tApp('missing.title')}
        action={
          <Link to="/" className="text-accent underline">
            {tApp('missing.back')}
          </Link>
        }
      >
        {tApp('missing.hint')}
      </EmptyState>
    </>
  );
}

function Fault({ error }: ErrorComponentProps) {
  return (
    <div role="alert">
      <EmptyState
        icon={TriangleAlert}
        title={tApp('fault.title')}
        action={<Button onClick={() => location.reload()}>{tApp('fault.again')}</Button>}
      >
        {tApp('fault.hint')} <span className="block pt-2 font-mono text-xs">{String(error)}</span>
      </EmptyState>
    </div>
  );
}

function Pending() {
  return (
    <PageBody>
      <LoadingRows />
    </PageBody>
  );
}

rootRoute.update({ component: Shell, notFoundComponent: Missing, errorComponent: Fault });

export const router = createRouter({
  routeTree: rootRoute.addChildren([...routes]),
  defaultPreload: 'intent',
  defaultPendingComponent: Pending,
  defaultPendingMs: 300,
  defaultErrorComponent: Fault,
  scrollRestoration: true,
  // Addresses that people can read: ?status=faulted,offline, not JSON.
  parseSearch: parseSearchWith((value) => value),
  stringifySearch: stringifySearchWith((value) => String(value)),
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
