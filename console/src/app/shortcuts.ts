// Keys that work everywhere. A screen adds its own with useShortcut; `?` lists what there is.
import { useEffect, useRef } from 'react';

export interface Shortcut {
  keys: string;
  /** What it does, in the reader's language. */
  label: string;
  run: () => void;
}

const shortcuts = new Map<string, Shortcut[]>();
let prefix = '';
let prefixAt = 0;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

addEventListener('keydown', (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (event.altKey || event.defaultPrevented) return;
  if (!command && isTyping(event.target)) return;
  if (!command && document.querySelector('[role=dialog],[role=alertdialog],[role=menu]')) return;
  const key = command ? `mod+${event.key.toLowerCase()}` : event.key;
  const chord = Date.now() - prefixAt < 1200 ? `${prefix} ${key}` : '';
  const found = shortcuts.get(chord)?.at(-1) ?? shortcuts.get(key)?.at(-1);
  prefix = key;
  prefixAt = Date.now();
  if (!found) return;
  event.preventDefault();
  prefix = '';
  found.run();
});

/** Have a key do something while a component is shown: `/`, `?`, `mod+k`, `g s`; without keys nothing. */
export function useShortcut(keys: string | undefined, label: string, run: () => void): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (keys === undefined) return undefined;
    const entry: Shortcut = { keys, label, run: () => latest.current() };
    const entries = shortcuts.get(keys) ?? [];
    entries.push(entry);
    shortcuts.set(keys, entries);
    return () => {
      entries.splice(entries.indexOf(entry), 1);
    };
  }, [keys, label]);
}

export function listShortcuts(): Shortcut[] {
  return [...shortcuts.values()].flatMap((entries) => entries.slice(-1));
}
