import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const NO_STATION = { code: 'station_unknown', values: { station: 'CP-1' } };

/** The modules as a reader of a language gets them. */
async function readBy(language: string) {
  vi.resetModules();
  vi.stubGlobal('navigator', { languages: [language] });
  return { ...(await import('./told')), ...(await import('./client')) };
}

describe('what the server tells', () => {
  beforeEach(() => vi.stubGlobal('localStorage', { getItem: () => null }));
  afterEach(() => vi.unstubAllGlobals());

  it('is said in German once the catalogue is here, and in English before and without a code', async () => {
    const { loadTold, told } = await readBy('de-DE');
    expect(told(NO_STATION, 'there is no station')).toBe('there is no station');
    await loadTold();
    expect(told(NO_STATION, 'there is no station')).toBe('Die Station „CP-1“ gibt es nicht');
    expect(told(null, 'something of a station')).toBe('something of a station');
    expect(told({ code: 'new_here', values: {} }, 'as it came')).toBe('as it came');
  });

  it('stays as it came for English readers', async () => {
    const { loadTold, told } = await readBy('en-GB');
    await loadTold();
    expect(told(NO_STATION, 'there is no station')).toBe('there is no station');
  });

  it('makes problems in the language of the reader, at each field and as a whole', async () => {
    const { readProblem } = await readBy('de-DE');
    const missing = await readProblem(
      404,
      JSON.stringify({ code: 'not_found', title: 'x', detail: 'no station', reason: NO_STATION }),
    );
    expect(missing.message).toBe('Die Station „CP-1“ gibt es nicht');
    expect(missing.title).toBe('Das Gesuchte gibt es nicht.');
    const short = { code: 'invalid.string_too_short', values: { min_length: 2 } };
    const invalid = await readProblem(
      422,
      JSON.stringify({
        code: 'invalid',
        title: 'x',
        detail: 'body name: too short',
        errors: [{ in: 'body', field: 'name', message: 'too short', reason: short }],
      }),
    );
    expect(invalid.errors).toEqual([{ field: 'name', message: 'Mindestens 2 Zeichen' }]);
    expect(invalid.message).toBe('name: Mindestens 2 Zeichen');
    const proxy = await readProblem(502, '<html>');
    expect([proxy.status, proxy.message]).toEqual([502, 'HTTP 502']);
  });
});
