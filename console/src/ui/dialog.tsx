import { X } from 'lucide-react';
import { AlertDialog, Dialog as Radix } from 'radix-ui';
import { useState, type ReactNode } from 'react';
import { Button } from './button';
import { classes } from './classes';
import { Field, Input } from './fields';
import { tUi } from './text';

const VEIL = 'veil fixed inset-0 z-50 bg-[var(--veil)]';
const BOX =
  'appear fixed left-1/2 top-1/2 z-50 flex max-h-[88dvh] w-[calc(100vw-24px)] -translate-x-1/2 -translate-y-1/2 flex-col rounded-xl border border-line bg-raised shadow-overlay';

/** A dialog that can be left at any time. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  wide = false,
  footer,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  wide?: boolean;
  footer?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={VEIL} />
        <Radix.Content
          className={classes(BOX, wide ? 'max-w-3xl' : 'max-w-md')}
          {...(description == null ? { 'aria-describedby': undefined } : {})}
        >
          <div className="flex items-start gap-3 px-5 pt-4 pb-2">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description != null && (
                <Radix.Description asChild>
                  <div className="mt-1 text-muted">{description}</div>
                </Radix.Description>
              )}
            </div>
            <Radix.Close
              aria-label={tUi('close')}
              className="-mr-2 inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text"
            >
              <X aria-hidden size={16} />
            </Radix.Close>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-2">{children}</div>
          {footer != null && <div className="flex justify-end gap-2 px-5 pt-2 pb-4">{footer}</div>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/**
 * Asks before something is done. The button names the effect, the text states the consequence.
 * `typed` is a word that has to be typed first: for more than ten stations at once.
 */
export function ConfirmDialog({
  open,
  onOpenChange,
  title,
  consequence,
  action,
  destructive = false,
  typed,
  busy = false,
  disabled = false,
  onConfirm,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  consequence: ReactNode;
  action: string;
  destructive?: boolean;
  typed?: string | undefined;
  busy?: boolean;
  disabled?: boolean;
  onConfirm: () => void;
  children?: ReactNode;
}) {
  const [word, setWord] = useState('');
  const change = (next: boolean) => {
    if (!next) setWord('');
    onOpenChange(next);
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={change}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={VEIL} />
        <AlertDialog.Content className={classes(BOX, 'max-w-md')}>
          <form
            className="flex min-h-0 flex-col"
            onSubmit={(event) => {
              event.preventDefault();
              if (!busy && !disabled && (typed === undefined || word === typed)) onConfirm();
            }}
          >
            <div className="px-5 pt-4">
              <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
              <AlertDialog.Description asChild>
                <div className="mt-1 text-muted">{consequence}</div>
              </AlertDialog.Description>
            </div>
            <div className="flex min-h-0 flex-col gap-3 overflow-y-auto px-5 py-3 empty:hidden">
              {children}
              {typed !== undefined && (
                <Field label={tUi('confirm.type', { word: typed })}>
                  <Input
                    value={word}
                    onChange={(event) => setWord(event.target.value)}
                    autoComplete="off"
                  />
                </Field>
              )}
            </div>
            <div className="flex justify-end gap-2 px-5 pt-2 pb-4">
              <AlertDialog.Cancel asChild>
                <Button>{tUi('cancel')}</Button>
              </AlertDialog.Cancel>
              <Button
                type="submit"
                look={destructive ? 'danger' : 'primary'}
                busy={busy}
                disabled={busy || disabled || (typed !== undefined && word !== typed)}
              >
                {action}
              </Button>
            </div>
          </form>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
