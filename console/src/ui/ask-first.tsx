// Asks before something is done, does it, and tells what became of it.
import { useState, type ReactNode } from 'react';
import { ConfirmDialog } from './dialog';
import { faultText } from './form';
import { tUi } from './text';
import { toast } from './toast';

/** What is asked about before it is done. */
export interface Wish {
  title: string;
  consequence: ReactNode;
  action: string;
  /** What is told when it has worked; nothing where the screen shows it. */
  done?: string;
  /** What is told over the reason when it has not worked. */
  failed?: string;
  /** It takes something away; so it is unless said otherwise. */
  destructive?: boolean;
  run: () => Promise<unknown>;
}

export function AskFirst({ wish, onClose }: { wish: Wish; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await wish.run();
      if (wish.done !== undefined) toast('good', wish.done);
    } catch (fault) {
      toast('bad', wish.failed ?? tUi('failed'), faultText(fault));
    }
    onClose();
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={wish.title}
      consequence={wish.consequence}
      action={wish.action}
      destructive={wish.destructive ?? true}
      busy={busy}
      onConfirm={() => void run()}
    />
  );
}
