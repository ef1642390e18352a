// The frame around every screen: navigation, the live mark, notices, the palette.
import { Link, Outlet, useRouter } from '@tanstack/react-router';
import { Ellipsis, WifiOff } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useMe, type Me } from '@/api/me';
import { useLive, useNow } from '@/live/hooks';
import { classes } from '@/ui/classes';
import { Menu, MenuItem } from '@/ui/menu';
import { Toasts } from '@/ui/toast';
import { Logo } from './logo';
import { navigation, type NavEntry } from './registry';
import { useShortcut } from './shortcuts';
import { tApp } from './text';

const Palette = lazy(() => import('./palette'));
const ShortcutList = lazy(() => import('./shortcut-list'));

const ITEM =
  'flex h-8 items-center gap-2.5 rounded-md px-2.5 text-muted hover:bg-hover hover:text-text max-lg:justify-center max-lg:px-0';
const CHOSEN = 'bg-hover font-medium text-text';

function allowed(me: Me): NavEntry[] {
  return navigation.filter((entry) => !entry.right || me.permissions.includes(entry.right));
}

export function Shell() {
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  useShortcut('mod+k', tApp('palette.title'), () => setPalette(true));
  useShortcut('?', tApp('shortcuts.help'), () => setHelp(true));
  return (
    <div className="flex min-h-dvh lg:h-dvh">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {tApp('nav.skip')}
      </a>
      <Sidebar />
      <main
        id="content"
        tabIndex={-1}
        className="flex min-w-0 flex-1 flex-col outline-none max-sm:pb-16 lg:overflow-y-auto print:overflow-visible"
      >
        <LostBar />
        <Outlet />
      </main>
      <PhoneTabs />
      <Toasts />
      <Suspense>
        {palette && <Palette onClose={() => setPalette(false)} />}
        {help && <ShortcutList onClose={() => setHelp(false)} />}
      </Suspense>
    </div>
  );
}

function Sidebar() {
  const entries = allowed(useMe());
  return (
    <aside className="no-print sticky top-0 flex h-dvh w-14 shrink-0 flex-col border-r border-line bg-surface max-sm:hidden lg:w-[var(--nav-width)]">
      <div className="flex h-[52px] items-center gap-2.5 px-4 max-lg:justify-center max-lg:px-0">
        <Logo />
        <span className="text-lg font-semibold tracking-[-0.01em] max-lg:sr-only">Pilotwire</span>
      </div>
      <nav aria-label={tApp('nav.label')} className="flex-1 overflow-y-auto px-3 pb-4 max-lg:px-2">
        {(['operate', 'business', 'system'] as const).map((group) => {
          const inside = entries.filter((entry) => entry.group === group);
          if (inside.length === 0) return null;
          return (
            <div key={group} className="pt-2">
              <p className="px-2.5 pt-1 pb-1 text-xs text-faint max-lg:sr-only">
                {tApp(`nav.${group}`)}
              </p>
              <ul className="flex flex-col gap-0.5">
                {inside.map((entry) => (
                  <NavItem key={entry.to} entry={entry} />
                ))}
              </ul>
            </div>
          );
        })}
      </nav>
      <LiveMark />
    </aside>
  );
}

function NavItem({ entry }: { entry: NavEntry }) {
  const router = useRouter();
  useShortcut(
    `g ${entry.key ?? entry.to}`,
    entry.label,
    () => void router.navigate({ to: entry.to }),
  );
  const Icon = entry.icon;
  return (
    <li>
      <Link
        to={entry.to}
        activeOptions={{ exact: entry.to === '/', includeSearch: false }}
        activeProps={{ className: CHOSEN }}
        className={ITEM}
        title={entry.label}
      >
        <Icon aria-hidden size={16} strokeWidth={1.8} />
        <span className="truncate max-lg:sr-only">{entry.label}</span>
      </Link>
    </li>
  );
}

function LiveMark() {
  const link = useLive((store) => store.link);
  const total = useLive((store) => store.kpi?.total ?? 0);
  const isLive = link === 'live';
  return (
    <div
      className="flex h-11 items-center gap-2 px-5 text-xs text-muted max-lg:justify-center max-lg:px-0"
      data-link={link}
    >
      <span
        aria-hidden
        className={classes(
          'size-2 rounded-full',
          isLive ? 'bg-[var(--status-available)]' : 'bg-warning',
        )}
      />
      <span className="truncate max-lg:sr-only">
        {isLive
          ? tApp('link.rate', { stations: total })
          : tApp(link === 'lost' ? 'link.lost.short' : 'link.connecting')}
      </span>
    </div>
  );
}

/** Says that what is seen is old. */
function LostBar() {
  const lost = useLive((store) => store.link === 'lost');
  return lost ? <LostText /> : null;
}

function LostText() {
  const now = useNow(1000);
  const at = useLive((store) => store.at);
  const seconds = Math.max(5, Math.round((now - new Date(at ?? now).getTime()) / 1000));
  return (
    <div
      role="status"
      className="no-print flex min-h-8 items-center gap-2 border-b border-line bg-warning-soft px-4 py-1 text-warning"
    >
      <WifiOff aria-hidden size={15} className="shrink-0" />
      <span className="tabular">{tApp('link.lost', { seconds })}</span>
    </div>
  );
}

function PhoneTabs() {
  const router = useRouter();
  const entries = allowed(useMe());
  const first = entries.filter((entry) => entry.onPhone).slice(0, 4);
  const rest = entries.filter((entry) => !first.includes(entry));
  const look =
    'flex h-14 min-w-0 flex-1 flex-col items-center justify-center gap-1 text-[11px] leading-none';
  return (
    <nav
      aria-label={tApp('nav.label')}
      className="no-print fixed inset-x-0 bottom-0 z-30 flex border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] sm:hidden"
    >
      {first.map(({ to, label, short, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === '/', includeSearch: false }}
          activeProps={{ className: 'text-accent font-medium' }}
          inactiveProps={{ className: 'text-muted' }}
          className={look}
        >
          <Icon aria-hidden size={19} strokeWidth={1.8} />
          <span className="max-w-full truncate px-1">{short ?? label}</span>
        </Link>
      ))}
      {rest.length > 0 && (
        <Menu
          trigger={
            <button type="button" className={classes(look, 'text-muted')}>
              <Ellipsis aria-hidden size={19} />
              <span>{tApp('nav.more')}</span>
            </button>
          }
        >
          {rest.map((entry) => (
            <MenuItem
              key={entry.to}
              icon={entry.icon}
              onSelect={() => void router.navigate({ to: entry.to })}
            >
              {entry.label}
            </MenuItem>
          ))}
        </Menu>
      )}
    </nav>
  );
}
