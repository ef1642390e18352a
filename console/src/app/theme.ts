// Light, dark or as the system has it. public/theme.js sets the same before the first paint.
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';
const STORED = 'pilotwire.theme';
const listeners = new Set<() => void>();
const system = matchMedia('(prefers-color-scheme: dark)');
system.addEventListener('change', () => listeners.forEach((tell) => tell()));

export function theme(): Theme {
  const set = document.documentElement.dataset['theme'];
  return set === 'light' || set === 'dark' ? set : 'system';
}

export function setTheme(to: Theme): void {
  if (to === 'system') {
    delete document.documentElement.dataset['theme'];
    localStorage.removeItem(STORED);
  } else {
    document.documentElement.dataset['theme'] = to;
    localStorage.setItem(STORED, to);
  }
  listeners.forEach((tell) => tell());
}

function isDark(): boolean {
  return theme() === 'system' ? system.matches : theme() === 'dark';
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, theme);
}

/** Whether it is dark now; for what cannot take its colours from CSS. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}
