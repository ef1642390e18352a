// What is shown when there is nothing, not yet anything, nothing allowed, or a fault.
import { CircleAlert, Lock, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Problem } from '@/api/client';
import { Button } from './button';
import { tUi } from './text';

/** Says what will appear here and gives the one next act. */
export function EmptyState({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon?: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center justify-center gap-2 px-6 py-12 text-center">
      {Icon && <Icon aria-hidden size={26} strokeWidth={1.5} className="mb-1 text-faint" />}
      <p className="font-semibold">{title}</p>
      {children && <div className="max-w-md text-muted">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** Says what went wrong and offers to try again; a refusal is told as one. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  if (error instanceof Problem && error.status === 403) {
    return (
      <EmptyState icon={Lock} title={tUi('state.forbidden')}>
        {error.detail || tUi('state.forbidden.hint')}
      </EmptyState>
    );
  }
  const detail = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert">
      <EmptyState
        icon={CircleAlert}
        title={tUi('state.error')}
        action={onRetry && <Button onClick={onRetry}>{tUi('state.retry')}</Button>}
      >
        {detail}
      </EmptyState>
    </div>
  );
}

/** Grey lines where rows will be. */
export function LoadingRows({ rows = 6 }: { rows?: number }) {
  return (
    <div role="status" aria-label={tUi('state.loading')} className="flex flex-col gap-3 p-4">
      {Array.from({ length: rows }, (_, index) => (
        <div
          key={index}
          className="skeleton h-4"
          style={{ width: `${92 - ((index * 17) % 45)}%` }}
        />
      ))}
    </div>
  );
}
