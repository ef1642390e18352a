// A short list of what one question gives, with what can happen to it.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorState, LoadingRows } from '@/ui/states';

export function Listed<Item>({
  query,
  none,
  children,
}: {
  query: UseQueryResult<Item[]>;
  /** Stands there when there is nothing. */
  none: string;
  /** An item, as an `li`. */
  children: (item: Item) => ReactNode;
}) {
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <LoadingRows rows={3} />;
  if (query.data.length === 0) return <p className="text-muted">{none}</p>;
  return <ul className="flex flex-col divide-y divide-line">{query.data.map(children)}</ul>;
}
