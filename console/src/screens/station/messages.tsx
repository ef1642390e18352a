import { useNavigate } from '@tanstack/react-router';
import { MessageTail } from '@/screens/messages/tail';
import { stationRoute } from './route';

export function StationMessages({ stationId }: { stationId: string }) {
  const { q } = stationRoute.useSearch();
  const navigate = useNavigate({ from: '/stations/$stationId' });
  return (
    <MessageTail
      key={stationId}
      stationId={stationId}
      filter={q ?? ''}
      onFilter={(next) =>
        void navigate({
          search: (before) => ({ ...before, q: next || undefined }),
          replace: true,
          resetScroll: false,
        })
      }
    />
  );
}
