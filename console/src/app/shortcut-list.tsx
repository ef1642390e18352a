import { useMemo } from 'react';
import { Dialog } from '@/ui/dialog';
import { listShortcuts } from './shortcuts';
import { tApp } from './text';

export default function ShortcutList({ onClose }: { onClose: () => void }) {
  const entries = useMemo(
    () => [
      ...listShortcuts().filter((entry) => !entry.keys.startsWith('g /')),
      { keys: 'j k', label: tApp('shortcuts.rows') },
    ],
    [],
  );
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={tApp('shortcuts.title')}>
      <dl className="flex flex-col divide-y divide-line pb-3">
        {entries.map((entry) => (
          <div key={entry.keys} className="flex items-center justify-between gap-4 py-2">
            <dt>{entry.label}</dt>
            <dd className="flex items-center gap-1">
              {entry.keys.split(' ').map((key, index) => (
                <kbd
                  key={index}
                  className="min-w-6 rounded border border-line-strong bg-surface px-1.5 text-center text-xs leading-5"
                >
                  {key.replace('mod+k', 'Ctrl K')}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
