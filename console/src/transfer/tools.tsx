import { ArrowDownUp, Download, FileUp } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { Button } from '@/ui/button';
import { Menu, MenuItem } from '@/ui/menu';
import type { Kind } from './import-dialog';
import { t } from './text';

const ImportDialog = lazy(() =>
  import('./import-dialog').then((found) => ({ default: found.ImportDialog })),
);

/** Import (with the right to change) and export of a table, behind one button. */
export function TransferTools({ kind, mayChange }: { kind: Kind; mayChange: boolean }) {
  const [importing, setImporting] = useState(false);
  return (
    <>
      <Menu
        trigger={
          <Button icon={ArrowDownUp} aria-label={t('tools')}>
            <span className="max-sm:sr-only">CSV</span>
          </Button>
        }
      >
        {mayChange && (
          <MenuItem icon={FileUp} onSelect={() => setTimeout(() => setImporting(true))}>
            {t('import')}
          </MenuItem>
        )}
        <MenuItem
          icon={Download}
          onSelect={() => {
            const link = document.createElement('a');
            link.href = `/api/v1/exports/${kind}.csv`;
            link.download = `${kind}.csv`;
            link.click();
          }}
        >
          {t('export')}
        </MenuItem>
      </Menu>
      {importing && (
        <Suspense>
          <ImportDialog kind={kind} onClose={() => setImporting(false)} />
        </Suspense>
      )}
    </>
  );
}
