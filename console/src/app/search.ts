// Reading the part of an address behind the question mark: what is not understood is left out, never an error.

export type Raw = Record<string, unknown>;

export function text(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function flag(raw: Raw, name: string): true | undefined {
  const value = raw[name];
  return value === true || value === 'true' || value === 1 ? true : undefined;
}

export function oneOf<Choice extends string>(
  raw: Raw,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = raw[name];
  return choices.find((choice) => choice === value);
}

/** Several choices in one parameter, with commas between. The router reads again what was read: then they are a list. */
export function someOf<Choice extends string>(
  raw: Raw,
  name: string,
  choices: readonly Choice[],
): Choice[] | undefined {
  const value = raw[name];
  const parts: unknown[] = Array.isArray(value) ? value : (text(raw, name) ?? '').split(',');
  const found = choices.filter((choice) => parts.includes(choice));
  return found.length > 0 ? found : undefined;
}
