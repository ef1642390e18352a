// Reading JSON schemas as the server writes them: what a form has to ask, and what goes back.

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  anyOf?: Schema[];
  type?: string;
  enum?: (string | number | boolean)[];
  const?: string | number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  format?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  title?: string;
  description?: string;
}

export type Names = Record<string, Schema>;
export type Content = Record<string, unknown>;

/** Follow references, and look through "or nothing". */
export function plain(schema: Schema, names: Names): Schema {
  let found = schema;
  for (let depth = 0; depth < 8; depth += 1) {
    if (found.$ref !== undefined) {
      found = names[found.$ref.split('/').at(-1) ?? ''] ?? {};
    } else if (found.anyOf) {
      const real = found.anyOf.filter((each) => each.type !== 'null');
      const rest = { ...found, ...real[0] };
      delete rest.anyOf;
      if (!real[0]) return {};
      found = rest;
    } else break;
  }
  return found;
}

/** Split a document with definitions into its root and those. */
export function opened(document: Schema): { root: Schema; names: Names } {
  const names = document.$defs ?? {};
  return { root: plain(document, names), names };
}

/** Names that a form leaves out: they are for vendors' programs, and can be given as JSON. */
const LEFT_OUT = new Set(['customData', 'command']);

export function fieldsOf(schema: Schema): [string, Schema][] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !LEFT_OUT.has(name))
    .sort(([one], [other]) => Number(required.has(other)) - Number(required.has(one)));
}

/** Give what a new value begins with: objects and lists that have to be there, nothing else. */
export function blank(schema: Schema, names: Names): unknown {
  const real = plain(schema, names);
  if (real.type === 'object' && real.properties) {
    const content: Content = {};
    for (const name of real.required ?? []) {
      const field = real.properties[name];
      if (!field || LEFT_OUT.has(name)) continue;
      const inner = blank(field, names);
      if (inner !== undefined) content[name] = inner;
    }
    return content;
  }
  if (real.type === 'array' && (real.minItems ?? 0) > 0 && real.items) {
    const inner = blank(real.items, names);
    return inner === undefined ? [] : [inner];
  }
  if (real.enum?.length === 1) return real.enum[0];
  return undefined;
}

/** Tell which required fields are still missing, each by its path. */
export function missing(value: unknown, schema: Schema, names: Names, path = ''): string[] {
  const real = plain(schema, names);
  if (real.type === 'object' && real.properties) {
    const content = (value ?? {}) as Content;
    return Object.entries(real.properties).flatMap(([name, field]) => {
      if (LEFT_OUT.has(name)) return [];
      const place = path ? `${path}.${name}` : name;
      const inner = content[name];
      if (inner === undefined) return real.required?.includes(name) ? [place] : [];
      return missing(inner, field, names, place);
    });
  }
  if (real.type === 'array' && Array.isArray(value)) {
    const short = value.length < (real.minItems ?? 0) ? [path] : [];
    return [
      ...short,
      ...value.flatMap((each, index) =>
        real.items ? missing(each, real.items, names, `${path} ${index + 1}`) : [],
      ),
    ];
  }
  return [];
}

/** A name as people read it: `evse_id` and `evseId` become `EVSE ID`. */
export function spoken(name: string): string {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
    .replace(/\b(evse|id|url|soc|csr|ocsp|v2g|csms|ev|pem)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}
