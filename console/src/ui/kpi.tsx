import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { NOTHING } from '@/i18n/quantity';
import { classes } from './classes';

export interface Kpi {
  label: string;
  value: string | null;
  unit?: string;
  /** A second line, smaller. */
  note?: ReactNode;
  alarming?: boolean;
  href?: string;
}

/** Figures side by side in one panel with dividers. */
export function KpiStrip({ figures, label }: { figures: Kpi[]; label: string }) {
  return (
    <dl
      aria-label={label}
      className="panel grid shrink-0 grid-cols-2 overflow-hidden sm:grid-cols-3 xl:grid-flow-col xl:auto-cols-fr xl:grid-cols-none"
    >
      {figures.map((figure) => (
        <div
          key={figure.label}
          className={classes(
            'relative flex flex-col-reverse justify-end border-line px-4 pt-3 pb-3',
            'shadow-[1px_0_0_var(--line),0_1px_0_var(--line)]',
            figure.href && 'hover:bg-hover',
          )}
        >
          {figure.note != null && <dd className="text-xs text-muted tabular">{figure.note}</dd>}
          <dd
            className={classes(
              'truncate text-kpi font-semibold tracking-[-0.02em] tabular',
              figure.alarming && 'text-danger',
            )}
          >
            {figure.value ?? <span className="skeleton inline-block h-6 w-20 align-middle" />}
            {figure.value !== null && figure.value !== NOTHING && figure.unit && (
              <span className="ml-1 text-sm font-normal tracking-normal text-muted">
                {figure.unit}
              </span>
            )}
          </dd>
          <dt className="text-xs text-muted">
            {figure.href ? (
              <Link to={figure.href} className="after:absolute after:inset-0">
                {figure.label}
              </Link>
            ) : (
              figure.label
            )}
          </dt>
        </div>
      ))}
    </dl>
  );
}
