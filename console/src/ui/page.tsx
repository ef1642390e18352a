import { ChevronLeft } from 'lucide-react';
import { Link } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { classes } from './classes';
import { HeaderTools } from '@/app/header-tools';

/**
 * The top of a screen: its name, what can be done, and the tools that every screen has.
 * `back` is the screen above; `title` also names the browser's tab.
 */
export function PageHeader({
  title,
  back,
  titleBelow = false,
  children,
}: {
  title: string;
  back?: { to: string; label: string };
  /** The screen shows its name itself, larger, as its h1. */
  titleBelow?: boolean;
  children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Pilotwire`;
  }, [title]);
  return (
    <header className="sticky top-0 z-20 flex h-[52px] shrink-0 items-center gap-2 border-b border-line bg-surface px-4 print:static">
      {back && (
        <Link
          to={back.to}
          className="-ml-2 inline-flex h-8 min-w-8 items-center gap-0.5 rounded-md px-1.5 text-muted hover:bg-hover hover:text-text"
        >
          <ChevronLeft aria-hidden size={16} />
          <span className={titleBelow ? undefined : 'max-sm:sr-only'}>{back.label}</span>
        </Link>
      )}
      {!titleBelow && <h1 className="min-w-0 truncate text-lg font-semibold">{title}</h1>}
      <div className="flex min-w-0 flex-1 items-center gap-2">{children}</div>
      <HeaderTools />
    </header>
  );
}

/** The part of a screen below its header. `fill` gives it the rest of the window and no scrolling of its own. */
export function PageBody({
  fill = false,
  className,
  children,
}: {
  fill?: boolean;
  className?: string;
  children: ReactNode;
}) {
  return (
    <div
      className={classes(
        'flex min-h-0 flex-1 flex-col gap-3 p-4 max-sm:p-3',
        fill && 'lg:overflow-hidden',
        className,
      )}
    >
      {children}
    </div>
  );
}

/** A panel with a title, a remark and acts on its right. */
export function Panel({
  title,
  note,
  actions,
  className,
  flush = false,
  children,
}: {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  className?: string;
  /** No padding around the content: for tables. */
  flush?: boolean;
  children: ReactNode;
}) {
  return (
    <section className={classes('panel flex min-w-0 flex-col', className)}>
      {(title != null || actions != null) && (
        <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1.5">
          {title != null && <h2 className="text-sm font-semibold">{title}</h2>}
          {note != null && <div className="ml-auto text-xs text-muted tabular">{note}</div>}
          {actions != null && (
            <div className={classes('flex items-center gap-2', note == null && 'ml-auto')}>
              {actions}
            </div>
          )}
        </div>
      )}
      <div className={classes('flex min-h-0 flex-1 flex-col', !flush && 'px-4 pb-4')}>
        {children}
      </div>
    </section>
  );
}
