import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, data } from '@/api/client';
import type { PowerPoint } from '@/live/types';

/** The network's power before this browser looked, from the meter samples; once, when the screen opens. */
export function usePowerHistory(): PowerPoint[] {
  const history = useQuery({
    queryKey: ['overview', 'power'],
    queryFn: () => data(api.GET('/api/v1/overview/power', { params: { query: { minutes: 60 } } })),
    staleTime: 600_000,
  });
  return useMemo(
    () => (history.data?.points ?? []).map((point) => [Date.parse(point.at) / 1000, point.power_w]),
    [history.data],
  );
}
