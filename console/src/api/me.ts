// Who is signed in, and what they may do.
import { createContext, useContext } from 'react';
import type { Schemas } from './client';

export type Me = Schemas['Me'];
export type Right = Me['permissions'][number];

export const MeContext = createContext<Me | null>(null);

/** Give who is signed in. Screens are shown to people who are. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error('nobody is signed in');
  return me;
}

/** Tell whether who is signed in has a right. The server decides; this only spares people what would be refused. */
export function useMay(right: Right): boolean {
  return useMe().permissions.includes(right);
}
