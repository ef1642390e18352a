// Shows once what is not kept: a key, a password, a link.
import { Copy } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, IconButton } from './button';
import { Dialog } from './dialog';
import { tUi } from './text';
import { toast } from './toast';

export function SecretDialog({
  title,
  description,
  lines,
  children,
  onClose,
}: {
  title: string;
  description: ReactNode;
  lines: [label: string, secret: string][];
  children?: ReactNode;
  onClose: () => void;
}) {
  const copy = async (text: string) => {
    await navigator.clipboard.writeText(text);
    toast('good', tUi('secret.copied'));
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description={description}
      footer={
        <Button look="primary" onClick={onClose}>
          {tUi('secret.noted')}
        </Button>
      }
    >
      {children}
      <dl className="flex flex-col gap-2">
        {lines.map(([label, secret]) => (
          <div
            key={label}
            className="flex items-center gap-3 rounded-md border border-line bg-sunken py-1 pr-1 pl-3"
          >
            <dt className="w-20 shrink-0 text-xs text-muted">{label}</dt>
            <dd className="min-w-0 flex-1 font-mono text-xs break-all select-all">{secret}</dd>
            <dd>
              <IconButton
                icon={Copy}
                label={tUi('secret.copy', { what: label })}
                onClick={() => void copy(secret)}
              />
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
