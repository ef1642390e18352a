import { Loader2, type LucideIcon } from 'lucide-react';
import type { ButtonHTMLAttributes, Ref } from 'react';
import { classes } from './classes';

type Look = 'plain' | 'primary' | 'danger' | 'quiet';

const LOOKS: Record<Look, string> = {
  plain: 'border border-line-strong bg-surface hover:bg-hover text-text',
  primary: 'border border-transparent bg-accent text-on-accent hover:bg-accent-strong',
  danger: 'border border-danger bg-surface text-danger hover:bg-danger-soft',
  quiet: 'border border-transparent text-muted hover:bg-hover hover:text-text',
};

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: LucideIcon;
  busy?: boolean;
  small?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button; its text names the effect. */
export function Button({
  look = 'plain',
  icon: Icon,
  busy = false,
  small = false,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  const Shown = busy ? Loader2 : Icon;
  return (
    <button
      type="button"
      disabled={disabled ?? busy}
      aria-busy={busy || undefined}
      className={classes(
        'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55',
        small ? 'h-7 px-2.5 text-xs' : 'h-8 px-3 text-sm',
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {Shown && <Shown aria-hidden size={15} className={busy ? 'animate-spin' : undefined} />}
      {children}
    </button>
  );
}

/** A button that shows an icon only; `label` is what it does. */
export function IconButton({
  icon: Icon,
  label,
  className,
  ...rest
}: Omit<ButtonProps, 'look' | 'busy' | 'small' | 'children'> & {
  icon: LucideIcon;
  label: string;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classes(
        'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted transition-colors hover:bg-hover hover:text-text disabled:opacity-50',
        className,
      )}
      {...rest}
    >
      <Icon aria-hidden size={16} />
    </button>
  );
}
