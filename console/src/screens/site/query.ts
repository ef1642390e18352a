import { queryOptions } from '@tanstack/react-query';
import { api, data } from '@/api/client';

export const siteQuery = (id: string) =>
  queryOptions({
    queryKey: ['site', id],
    queryFn: () => data(api.GET('/api/v1/sites/{site_id}', { params: { path: { site_id: id } } })),
  });
