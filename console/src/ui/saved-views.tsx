// Views that somebody has saved: a name and the address with its filters. They stay in this browser.
import { useLocation, useRouter } from '@tanstack/react-router';
import { Bookmark, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from './button';
import { Dialog } from './dialog';
import { Field, Input } from './fields';
import { Menu, MenuDivider, MenuItem, MenuLabel } from './menu';
import { tUi } from './text';

interface View {
  name: string;
  search: string;
}

function read(screen: string): View[] {
  try {
    return JSON.parse(localStorage.getItem(`pilotwire.views.${screen}`) ?? '[]') as View[];
  } catch {
    return [];
  }
}

/** The menu of saved views of a screen; `screen` names it in the store. */
export function SavedViews({ screen }: { screen: string }) {
  const router = useRouter();
  const location = useLocation();
  const [views, setViews] = useState(() => read(screen));
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const keep = (next: View[]) => {
    localStorage.setItem(`pilotwire.views.${screen}`, JSON.stringify(next));
    setViews(next);
  };
  const save = () => {
    const wanted = name.trim();
    if (!wanted) return;
    keep([
      ...views.filter((view) => view.name !== wanted),
      { name: wanted, search: location.searchStr },
    ]);
    setName('');
    setNaming(false);
  };
  return (
    <>
      <Menu
        trigger={
          <Button icon={Bookmark} aria-label={tUi('views.label')}>
            <span className="max-sm:sr-only">{tUi('views.label')}</span>
          </Button>
        }
      >
        {views.length === 0 ? (
          <p className="max-w-56 px-2 py-1.5 text-muted">{tUi('views.none')}</p>
        ) : (
          <>
            <MenuLabel>{tUi('views.label')}</MenuLabel>
            {views.map((view) => (
              <MenuItem
                key={view.name}
                checked={view.search === location.searchStr}
                onSelect={() => router.history.push(`${location.pathname}${view.search}`)}
              >
                {view.name}
              </MenuItem>
            ))}
          </>
        )}
        <MenuDivider />
        <MenuItem icon={Bookmark} onSelect={() => setTimeout(() => setNaming(true))}>
          {tUi('views.save')}
        </MenuItem>
      </Menu>
      <Dialog
        open={naming}
        onOpenChange={setNaming}
        title={tUi('views.save')}
        footer={
          <Button look="primary" onClick={save} disabled={!name.trim()}>
            {tUi('save')}
          </Button>
        }
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <Field label={tUi('views.name')}>
            <Input value={name} onChange={(event) => setName(event.target.value)} maxLength={60} />
          </Field>
        </form>
        {views.length > 0 && (
          <ul className="mt-3 flex flex-col divide-y divide-line border-t border-line">
            {views.map((view) => (
              <li key={view.name} className="flex items-center gap-2 py-1">
                <span className="flex-1 truncate">{view.name}</span>
                <IconButton
                  icon={Trash2}
                  label={tUi('views.remove', { name: view.name })}
                  onClick={() => keep(views.filter((each) => each !== view))}
                />
              </li>
            ))}
          </ul>
        )}
      </Dialog>
    </>
  );
}
