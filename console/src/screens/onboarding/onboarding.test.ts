import { describe, expect, it } from 'vitest';
import { addressFor, BRANDS, findBrand, hexOf, newPassword, probeOf, searchBrands } from './brands';
import { sortOut } from './failures';
import { stepOf } from './route';

describe('makes', () => {
  it('are found by words, and another make always stays', () => {
    expect(searchBrands('mennekes').map((each) => each.id)).toEqual(['bender', 'other']);
    expect(searchBrands('no such make').map((each) => each.id)).toEqual(['other']);
    expect(findBrand('gone').id).toBe('other');
    for (const make of ['autel', 'evbox', 'huawei', 'keba', 'phoenix contact'])
      expect(searchBrands(make), make).toHaveLength(2);
  });

  it('stand in the order of their names', () => {
    const names = BRANDS.filter((each) => each.id !== 'other').map((each) => each.name);
    expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b, 'en')));
  });

  it('each say where, and where that is from', () => {
    for (const brand of BRANDS.filter((each) => each.id !== 'other')) {
      expect(brand.source, brand.id).toMatch(/^https:\/\//);
      expect(brand.menu.length, brand.id).toBeGreaterThan(0);
      expect(['base', 'whole', 'parts'], brand.id).toContain(brand.url);
      expect(brand.note.de && brand.note.en, brand.id).toBeTruthy();
    }
  });
});

describe('the address', () => {
  it('has the identity where the make wants it', () => {
    const base = 'wss://cpms.example.com/ocpp';
    expect(addressFor(base, 'x', null).text).toBe(base);
    expect(addressFor(`${base}/`, 'x', 'A|1').text).toBe(`${base}/A%7C1`);
  });

  it('of a server that knows only this computer takes the name of the console, or warns', () => {
    const base = 'ws://127.0.0.1:9000/ocpp';
    expect(addressFor(base, 'cpms.lan', null)).toEqual({
      text: 'ws://cpms.lan:9000/ocpp',
      isLoopback: false,
    });
    expect(addressFor(base, 'localhost', null).isLoopback).toBe(true);
    expect(addressFor('ws://[::1]:9000/ocpp', '[::1]', null).isLoopback).toBe(true);
    expect(probeOf('wss://a:1/ocpp/X')).toBe('curl -i https://a:1/ocpp/X');
  });
});

describe('a password', () => {
  it('is 20 characters that can be read aloud, another one each time', () => {
    const made = new Set(Array.from({ length: 50 }, newPassword));
    expect(made.size).toBe(50);
    for (const each of made) expect(each).toMatch(/^[A-HJ-NP-Za-km-z2-9]{20}$/);
    expect(hexOf('Az9')).toBe('417a39');
  });
});

describe('failed handshakes', () => {
  const failure = (subject: string, at: number) => ({
    subject,
    remote_address: '192.0.2.1',
    problem: 'wrong_password',
    count: 1,
    first_at: new Date(at).toISOString(),
    last_at: new Date(at).toISOString(),
    detail: '',
    explanation: '',
  });

  it('of this identity count for a while, others only since the page is open', () => {
    const all = [failure('cp-1', 990_000), failure('CP-9', 990_000), failure('CP-8', 1_010_000)];
    const { mine, others } = sortOut(all, 'CP-1', 1_000_000);
    expect(mine.map((each) => each.subject)).toEqual(['cp-1']);
    expect(others.map((each) => each.subject)).toEqual(['CP-8']);
    expect(sortOut(all, undefined, 1_000_000).mine).toEqual([]);
  });
});

describe('an address of the wizard', () => {
  it('that lacks what its step needs goes back to where that is asked', () => {
    expect(stepOf({})).toBe('brand');
    expect(stepOf({ step: 'identity' })).toBe('brand');
    expect(stepOf({ step: 'connect', brand: 'abb' })).toBe('identity');
    expect(stepOf({ step: 'connect', way: 'key' })).toBe('connect');
    expect(stepOf({ step: 'check' })).toBe('brand');
    expect(stepOf({ step: 'check', station: 'A' })).toBe('check');
  });
});
