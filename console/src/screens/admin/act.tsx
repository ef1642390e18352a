import { useState, type ReactNode } from 'react';
import { ConfirmDialog } from '@/ui/dialog';
import { faultText } from '@/ui/form';
import { toast } from '@/ui/toast';
import { t } from './text';

/** What is asked about before it is done. */
export interface Wish {
  title: string;
  consequence: ReactNode;
  action: string;
  done: string;
  run: () => Promise<unknown>;
}

export function AskFirst({ wish, onClose }: { wish: Wish; onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await wish.run();
      toast('good', wish.done);
    } catch (fault) {
      toast('bad', t('failed'), faultText(fault));
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
      destructive
      busy={busy}
      onConfirm={() => void run()}
    />
  );
}

/** A part of a tab that scrolls by itself, by keyboard too. */
export function Scrolled({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div
      role="region"
      aria-label={label}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto px-4 py-3 focus-visible:-outline-offset-2"
    >
      {children}
    </div>
  );
}
