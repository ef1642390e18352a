import { Search } from 'lucide-react';
import {
  cloneElement,
  useId,
  useRef,
  type InputHTMLAttributes,
  type ReactElement,
  type ReactNode,
  type Ref,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from 'react';
import { useShortcut } from '@/app/shortcuts';
import { classes } from './classes';

const BOX =
  'w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ellipsis placeholder:text-faint disabled:opacity-60 aria-[invalid=true]:border-danger';

/** A field with its label, a hint and what is wrong with it; the control is its one child. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  children: ReactElement<{ id?: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }>;
}) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-xs font-medium text-muted">
        {label}
      </label>
      {cloneElement(children, {
        id,
        ...(note == null ? {} : { 'aria-describedby': noteId }),
        ...(error == null ? {} : { 'aria-invalid': true }),
      })}
      {note != null && (
        <div
          id={noteId}
          className={classes('text-xs', error == null ? 'text-muted' : 'text-danger')}
        >
          {note}
        </div>
      )}
    </div>
  );
}

export function Input({
  className,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> }) {
  return <input className={classes(BOX, 'h-8', className)} {...rest} />;
}

export function TextArea({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <textarea className={classes(BOX, 'min-h-20 py-1.5', className)} {...rest} />;
}

export function Select({ className, children, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <select className={classes(BOX, 'h-8 pr-7', className)} {...rest}>
      {children}
    </select>
  );
}

export function Checkbox({
  label,
  className,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'type'> & { label: ReactNode }) {
  return (
    <label className={classes('inline-flex min-h-6 items-center gap-2', className)}>
      <input type="checkbox" className="size-4" {...rest} />
      <span>{label}</span>
    </label>
  );
}

/** A field that filters what is on the screen; the key `shortcut` goes there. */
export function SearchField({
  label,
  value,
  onValue,
  shortcut,
  className,
}: {
  label: string;
  value: string;
  onValue: (value: string) => void;
  shortcut?: '/';
  className?: string;
}) {
  const field = useRef<HTMLInputElement>(null);
  useShortcut(shortcut, label, () => field.current?.focus());
  return (
    <div className={classes('relative', className)}>
      <Search
        aria-hidden
        size={14}
        className="pointer-events-none absolute top-2 left-2.5 text-faint"
      />
      <input
        ref={field}
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onValue(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value) {
            event.preventDefault();
            onValue('');
          }
        }}
        className={classes(BOX, 'h-8 pl-8', shortcut && 'pr-8')}
      />
      {shortcut && !value && (
        <kbd
          aria-hidden
          className="pointer-events-none absolute top-1.5 right-1.5 rounded border border-line px-1.5 text-xs leading-[18px] text-faint max-sm:hidden"
        >
          {shortcut}
        </kbd>
      )}
    </div>
  );
}
