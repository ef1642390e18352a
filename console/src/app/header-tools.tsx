// On the right of every screen's header: search, colours, account.
import { useQueryClient } from '@tanstack/react-query';
import {
  CircleUserRound,
  Keyboard,
  LogOut,
  Monitor,
  Moon,
  Printer,
  Search,
  Sun,
} from 'lucide-react';
import { api } from '@/api/client';
import { useMe } from '@/api/me';
import { changeLanguage, language, LANGUAGES, type Language } from '@/i18n';
import { live } from '@/live/store';
import { IconButton } from '@/ui/button';
import { Menu, MenuDivider, MenuItem, MenuLabel } from '@/ui/menu';
import { tApp } from './text';
import { setTheme, useDark, useTheme, type Theme } from './theme';

const THEMES: [Theme, typeof Sun][] = [
  ['system', Monitor],
  ['light', Sun],
  ['dark', Moon],
];

function press(init: KeyboardEventInit): void {
  dispatchEvent(new KeyboardEvent('keydown', init));
}

export function HeaderTools() {
  const me = useMe();
  const theme = useTheme();
  const dark = useDark();
  const queries = useQueryClient();
  const signOut = async () => {
    await api.POST('/api/v1/logout');
    queries.clear();
    live.restart();
    await queries.invalidateQueries({ queryKey: ['me'] });
    location.reload();
  };
  return (
    <div className="no-print ml-auto flex items-center gap-1">
      <button
        type="button"
        onClick={() => press({ key: 'k', ctrlKey: true })}
        className="inline-flex h-8 items-center gap-2 rounded-md border border-line px-2 text-muted hover:bg-hover hover:text-text max-md:border-transparent"
      >
        <Search aria-hidden size={15} />
        <span className="max-md:sr-only">{tApp('tools.search')}</span>
        <kbd
          aria-hidden
          className="rounded border border-line px-1 text-[11px] leading-4 text-faint max-md:hidden"
        >
          Ctrl K
        </kbd>
      </button>
      <Menu trigger={<IconButton icon={dark ? Moon : Sun} label={tApp('tools.theme')} />}>
        {THEMES.map(([name, icon]) => (
          <MenuItem key={name} icon={icon} checked={theme === name} onSelect={() => setTheme(name)}>
            {tApp(`tools.theme.${name}` as 'tools.theme.light')}
          </MenuItem>
        ))}
      </Menu>
      <Menu
        trigger={
          <IconButton icon={CircleUserRound} label={tApp('tools.account', { name: me.name })} />
        }
      >
        <div className="px-2 pt-1.5 pb-1">
          <p className="max-w-56 truncate font-medium">{me.name}</p>
          <p className="text-xs text-muted">{tApp('role', { role: me.role })}</p>
        </div>
        <MenuDivider />
        <MenuLabel>{tApp('tools.language')}</MenuLabel>
        {(Object.keys(LANGUAGES) as Language[]).map((name) => (
          <MenuItem key={name} checked={name === language} onSelect={() => changeLanguage(name)}>
            <span lang={name}>{LANGUAGES[name]}</span>
          </MenuItem>
        ))}
        <MenuDivider />
        <MenuItem icon={Keyboard} onSelect={() => setTimeout(() => press({ key: '?' }))}>
          {tApp('tools.shortcuts')}
        </MenuItem>
        <MenuItem icon={Printer} onSelect={() => setTimeout(() => print(), 100)}>
          {tApp('tools.print')}
        </MenuItem>
        <MenuItem icon={LogOut} onSelect={() => void signOut()}>
          {tApp('tools.sign-out')}
        </MenuItem>
      </Menu>
    </div>
  );
}
