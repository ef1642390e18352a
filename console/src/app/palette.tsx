// Ctrl+K: go to a screen or a station by typing a part of its name.
import { useRouter } from '@tanstack/react-router';
import { Building2 } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useMemo, useState, type ReactNode } from 'react';
import { useMe } from '@/api/me';
import { live } from '@/live/store';
import { statusOf } from '@/live/status';
import { classes } from '@/ui/classes';
import { StatusIcon } from '@/ui/status';
import { navigation } from './registry';
import { tApp } from './text';

interface Entry {
  key: string;
  group: string;
  icon: ReactNode;
  label: string;
  note?: string;
  run: () => void;
}

const MOST = 8;

export default function Palette({ onClose }: { onClose: () => void }) {
  const router = useRouter();
  const me = useMe();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = useMemo<Entry[]>(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (subject: string) => words.every((word) => subject.toLowerCase().includes(word));
    const screens = navigation
      .filter(
        (entry) => (!entry.right || me.permissions.includes(entry.right)) && fits(entry.label),
      )
      .map(({ to, label, icon: Icon }) => ({
        key: `screen ${to}`,
        group: tApp('palette.screens'),
        icon: <Icon aria-hidden size={16} className="text-muted" />,
        label,
        run: () => void router.navigate({ to }),
      }));
    if (words.length === 0) return screens;
    const stations: Entry[] = [];
    for (const station of live.list()) {
      if (stations.length >= MOST) break;
      if (
        !fits(
          `${station.id} ${station.name} ${station.site ?? ''} ${station.vendor} ${station.model}`,
        )
      ) {
        continue;
      }
      stations.push({
        key: `station ${station.id}`,
        group: tApp('palette.stations'),
        icon: <StatusIcon status={statusOf(station.status)} />,
        label: station.name || station.id,
        note: [station.name && station.id, station.site].filter(Boolean).join(' · '),
        run: () =>
          void router.navigate({ to: '/stations/$stationId', params: { stationId: station.id } }),
      });
    }
    const sites = new Map<string, string>();
    for (const station of live.list()) {
      if (sites.size >= MOST) break;
      if (station.site_id && station.site && fits(station.site))
        sites.set(station.site_id, station.site);
    }
    const places = [...sites].map(([siteId, name]) => ({
      key: `site ${siteId}`,
      group: tApp('palette.sites'),
      icon: <Building2 aria-hidden size={16} className="text-muted" />,
      label: name,
      run: () => void router.navigate({ to: '/sites/$siteId', params: { siteId } }),
    }));
    return [...stations, ...places, ...screens];
  }, [text, me, router]);
  const chosen = Math.min(at, Math.max(0, found.length - 1));
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="veil fixed inset-0 z-50 bg-[var(--veil)]" />
        <Dialog.Content
          aria-describedby={undefined}
          className="appear fixed top-[12dvh] left-1/2 z-50 w-[calc(100vw-24px)] max-w-xl -translate-x-1/2 overflow-hidden rounded-xl border border-line bg-raised shadow-overlay"
        >
          <Dialog.Title className="sr-only">{tApp('palette.title')}</Dialog.Title>
          <input
            role="combobox"
            aria-expanded
            aria-controls="palette-list"
            aria-activedescendant={found.length > 0 ? `palette-${chosen}` : undefined}
            aria-label={tApp('palette.placeholder')}
            placeholder={tApp('palette.placeholder')}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setAt(0);
            }}
            onKeyDown={(event) => {
              const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
              if (step !== undefined) {
                event.preventDefault();
                setAt((chosen + step + found.length) % Math.max(1, found.length));
              } else if (event.key === 'Enter') {
                event.preventDefault();
                run(found[chosen]);
              }
            }}
            className="h-12 w-full border-b border-line bg-transparent px-4 text-base placeholder:text-faint focus-visible:outline-none"
          />
          <ul
            id="palette-list"
            role="listbox"
            aria-label={tApp('palette.title')}
            className="max-h-[50dvh] overflow-y-auto p-2"
          >
            {found.map((entry, index) => (
              // The keyboard works in the field above; the list only shows where it is.
              // eslint-disable-next-line jsx-a11y/click-events-have-key-events
              <li
                key={entry.key}
                id={`palette-${index}`}
                role="option"
                aria-selected={index === chosen}
                onMouseMove={() => setAt(index)}
                onClick={() => run(entry)}
                className={classes(
                  'flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5',
                  index === chosen && 'bg-accent-soft',
                )}
              >
                {entry.icon}
                <span className="truncate">{entry.label}</span>
                {entry.note && (
                  <span className="min-w-0 truncate text-xs text-muted">{entry.note}</span>
                )}
                <span className="ml-auto text-xs text-faint">{entry.group}</span>
              </li>
            ))}
            {found.length === 0 && (
              <li
                role="option"
                aria-selected={false}
                aria-disabled
                className="px-2.5 py-6 text-center text-muted"
              >
                {tApp('palette.nothing', { text })}
              </li>
            )}
          </ul>
          <p className="border-t border-line px-4 py-2 text-xs text-faint">
            {tApp('palette.hint')}
          </p>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
