// What components ask of the live picture.
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { live, type LiveStore } from './store';
import type { LiveStation } from './types';

/** Give a part of the store; the component is drawn again when that part is another value. */
export function useLive<Part>(select: (store: LiveStore) => Part): Part {
  return useSyncExternalStore(live.subscribe, () => select(live));
}

/** Give a station as it is now. */
export function useStation(id: string): LiveStation | undefined {
  const subscribe = useCallback((tell: () => void) => live.subscribeStation(id, tell), [id]);
  return useSyncExternalStore(subscribe, () => live.station(id));
}

/** What people call a station: its name if it has one, else its identity. */
export function displayName(id: string, station: LiveStation | undefined): string {
  return station && station.name !== '' ? station.name : id;
}

/** Give all stations, as of once in so many milliseconds: lists are sorted and counted anew each time. */
export function useStations(everyMs = 1000): LiveStation[] {
  const [stations, setStations] = useState(() => live.list());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let shownAt = 0;
    const show = () => {
      timer = undefined;
      shownAt = Date.now();
      setStations(live.list());
    };
    const hear = () => {
      timer ??= setTimeout(show, Math.max(0, shownAt + everyMs - Date.now()));
    };
    show();
    const end = live.subscribe(hear);
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [everyMs]);
  return stations;
}

/** Give the time, again and again, for ages and durations. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
