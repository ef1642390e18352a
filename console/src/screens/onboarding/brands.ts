// What differs from make to make, and what follows from it for the settings. Pure.
import { language } from '@/i18n';
import all from './brands.json';

export interface Brand {
  id: string;
  name: string;
  models: string;
  /** Where its settings are, in the words of its own menus. */
  menu: string[];
  /** `base`: the station adds its identity; `whole`: the identity belongs into the address; `parts`: host, port and path. */
  url: string;
  /** What the settings are called there; null where its maker names no field. */
  fields: { url: string; identity: string | null; password: string | null };
  ocpp: string;
  note: Record<'en' | 'de', string>;
  source: string;
}

export const BRANDS: Brand[] = all;

export function findBrand(id: string | undefined): Brand {
  const other = BRANDS.at(-1);
  const found = BRANDS.find((each) => each.id === id) ?? other;
  if (!found) throw new Error('brands.json is empty');
  return found;
}

export const noteOf = (brand: Brand): string => brand.note[language];

/** The makes that fit what was typed; "another make" always stays, as the last one. */
export function searchBrands(words: string): Brand[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return BRANDS.filter((brand) => {
    const text = `${brand.name} ${brand.models}`.toLowerCase();
    return brand.id === 'other' || wanted.every((word) => text.includes(word));
  });
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export interface Address {
  text: string;
  /** It is good on the server's own computer only. */
  isLoopback: boolean;
}

/**
 * The address for a station. A server that was told no address guesses one of this computer; then the name under which
 * people reach the console is the better guess.
 */
export function addressFor(base: string, consoleHost: string, identity: string | null): Address {
  const parts = /^(wss?:\/\/)(\[[^\]]*\]|[^:/]*)(.*)$/.exec(base);
  if (!parts) return { text: base, isLoopback: false };
  const [, scheme = '', host = '', rest = ''] = parts;
  const better = LOOPBACK.test(host) && !LOOPBACK.test(consoleHost) ? consoleHost : host;
  const end = identity === null ? '' : `/${encodeURIComponent(identity)}`;
  return {
    text: `${scheme}${better}${rest.replace(/\/$/, '')}${end}`,
    isLoopback: LOOPBACK.test(better),
  };
}

/** What a browser or curl can ask to see whether the port is reached. */
export const probeOf = (address: string): string => `curl -i ${address.replace(/^ws/, 'http')}`;

export function hexOf(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

// Letters and digits that survive being read aloud and typed on a small display.
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

/** A random password of 20 characters, the most that many 1.6 stations take. */
export function newPassword(): string {
  const most = 256 - (256 % ALPHABET.length);
  let password = '';
  while (password.length < 20) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32)))
      if (byte < most && password.length < 20) password += ALPHABET.charAt(byte % ALPHABET.length);
  }
  return password;
}
