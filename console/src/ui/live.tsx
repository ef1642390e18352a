// Numbers and moments that change while they are looked at.
import { useEffect, useRef, type ReactNode } from 'react';
import { absolute, age, relative, type Moment, type Quantity } from '@/i18n/quantity';
import { useNow } from '@/live/hooks';
import { classes } from './classes';

const STILL = matchMedia('(prefers-reduced-motion: reduce)');

/** Let its background flash for a moment when `value` changes; nothing moves. */
export function Flash({
  value,
  className,
  children,
}: {
  value: string | number;
  className?: string;
  children: ReactNode;
}) {
  const place = useRef<HTMLSpanElement>(null);
  const before = useRef(value);
  useEffect(() => {
    if (before.current === value) return;
    before.current = value;
    if (STILL.matches) return;
    place.current?.animate(
      [{ backgroundColor: 'var(--flash)' }, { backgroundColor: 'transparent' }],
      {
        duration: 1200,
        easing: 'ease-out',
      },
    );
  }, [value]);
  return (
    <span ref={place} className={classes('inline-block rounded-[3px] align-middle', className)}>
      {children}
    </span>
  );
}

/** A number with its unit: the unit smaller and muted. */
export function Figure({ quantity, className }: { quantity: Quantity; className?: string }) {
  return (
    <span className={classes('tabular whitespace-nowrap', className)}>
      {quantity.value}
      {quantity.unit && (
        <span className="text-[0.92em] text-muted">{`\u00a0${quantity.unit}`}</span>
      )}
    </span>
  );
}

/** How long ago something was, with the whole moment on hover. */
export function Ago({ at, short = false }: { at: Moment | null | undefined; short?: boolean }) {
  const now = useNow(1000);
  if (at == null) return <span className="text-muted">–</span>;
  return (
    <time
      className="tabular whitespace-nowrap"
      dateTime={new Date(at).toISOString()}
      title={absolute(at)}
    >
      {short ? age(at, now) : relative(at, now)}
    </time>
  );
}
