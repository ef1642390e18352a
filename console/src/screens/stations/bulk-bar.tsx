import { Eraser, Ellipsis, Power, PowerOff, RotateCcw, X } from 'lucide-react';
import type { Act } from '@/commands/dialogs';
import { t as tCommand } from '@/commands/text';
import { Button, IconButton } from '@/ui/button';
import { Menu, MenuItem } from '@/ui/menu';
import { t } from './text';

/** What can be done with the selected stations. */
export function BulkBar({
  count,
  onClear,
  onAct,
}: {
  count: number;
  onClear: () => void;
  onAct: (act: Act) => void;
}) {
  return (
    <div
      role="toolbar"
      aria-label={t('bulk')}
      className="appear flex flex-wrap items-center gap-2 border-t border-line bg-accent-soft px-4 py-2"
    >
      <IconButton icon={X} label={t('selected.clear')} onClick={onClear} className="-ml-2" />
      <span className="mr-2 font-medium tabular" role="status">
        {t('selected', { count })}
      </span>
      <Button icon={RotateCcw} onClick={() => onAct('reset')}>
        {tCommand('reset')}
      </Button>
      <Button icon={PowerOff} onClick={() => onAct('out')}>
        {tCommand('out')}
      </Button>
      <Button icon={Power} onClick={() => onAct('in')}>
        {tCommand('in')}
      </Button>
      <Menu trigger={<Button icon={Ellipsis}>{t('bulk.more')}</Button>}>
        <MenuItem onSelect={() => onAct('trigger')}>{tCommand('trigger')}</MenuItem>
        <MenuItem icon={Eraser} onSelect={() => onAct('clear_cache')}>
          {tCommand('clear_cache')}
        </MenuItem>
      </Menu>
    </div>
  );
}
