// Dialogs that ask for something, send it, and say at each field what the server did not like.
import { CircleAlert } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import { Problem } from '@/api/client';
import { Button } from './button';
import { Dialog } from './dialog';
import { tUi } from './text';

/** Tells what is wrong with a field, by its name in the API. */
export type ErrorOf = (field: string) => string | undefined;

/** What went wrong, in words. */
export function faultText(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}

/** A dialog with a form. `onSubmit` throws when it did not work; when it did, the caller closes the dialog. */
export function FormDialog({
  title,
  description,
  action,
  wide = false,
  disabled = false,
  onClose,
  onSubmit,
  children,
}: {
  title: string;
  description?: ReactNode;
  action: string;
  wide?: boolean;
  disabled?: boolean;
  onClose: () => void;
  onSubmit: () => Promise<void>;
  children: (errorOf: ErrorOf) => ReactNode;
}) {
  const form = useId();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const errors = fault instanceof Problem ? fault.errors : [];
  const shown = new Set<string>();
  const errorOf: ErrorOf = (field) => {
    const found = errors.find((each) => each.field.split(/[.[\]]/).includes(field));
    if (found) shown.add(found.field);
    return found?.message;
  };
  const content = children(errorOf);
  const elsewhere = errors.filter((each) => !shown.has(each.field));
  const submit = async () => {
    setBusy(true);
    setFault(null);
    try {
      await onSubmit();
    } catch (problem) {
      setFault(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      wide={wide}
      {...(description == null ? {} : { description })}
      footer={
        <>
          <Button onClick={onClose}>{tUi('cancel')}</Button>
          <Button type="submit" form={form} look="primary" busy={busy} disabled={busy || disabled}>
            {action}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="flex flex-col gap-3 pb-1"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {content}
        {fault != null && (errors.length === 0 || elsewhere.length > 0) && (
          <p role="alert" className="flex gap-1.5 text-danger">
            <CircleAlert aria-hidden size={15} className="mt-0.5 shrink-0" />
            <span>
              {elsewhere.length > 0
                ? elsewhere.map((each) => `${each.field}: ${each.message}`).join(' ')
                : faultText(fault)}
            </span>
          </p>
        )}
      </form>
    </Dialog>
  );
}
