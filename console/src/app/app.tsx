// Who is here? Then their console, else the way in.
import { QueryClientProvider, useQuery, useQueryClient } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { api, data, Problem } from '@/api/client';
import { MeContext, type Me } from '@/api/me';
import { queries } from '@/api/queries';
import { useLive } from '@/live/hooks';
import { live } from '@/live/store';
import { EmptyState } from '@/ui/states';
import { Login } from './login';
import { router } from './router';
import { tApp } from './text';

const ChoosePassword = lazy(() => import('./choose-password'));

async function fetchMe(): Promise<Me | null> {
  try {
    return await data(api.GET('/api/v1/me'));
  } catch (fault) {
    if (fault instanceof Problem && fault.status === 401) return null;
    throw fault;
  }
}

function Entrance() {
  const client = useQueryClient();
  const me = useQuery({
    queryKey: ['me'],
    queryFn: fetchMe,
    staleTime: 300_000,
    retry: true,
    retryDelay: 2000,
  });
  const refused = useLive((store) => store.link === 'refused' && store.refusal === 401);
  useEffect(() => {
    // The login has ended meanwhile: ask who we are.
    if (refused) void client.invalidateQueries({ queryKey: ['me'] });
  }, [refused, client]);
  useEffect(() => {
    if (me.data) live.start();
  }, [me.data]);
  if (me.data === undefined) {
    return me.failureCount > 0 ? <EmptyState title={tApp('start.away')} /> : null;
  }
  if (me.data === null) {
    return (
      <Login
        onSignedIn={(found) => {
          client.setQueryData(['me'], found);
          live.restart();
        }}
      />
    );
  }
  return (
    <MeContext value={me.data}>
      <RouterProvider router={router} />
    </MeContext>
  );
}

export function App() {
  return (
    <QueryClientProvider client={queries}>
      {location.pathname === '/password' ? (
        <Suspense>
          <ChoosePassword />
        </Suspense>
      ) : (
        <Entrance />
      )}
    </QueryClientProvider>
  );
}
