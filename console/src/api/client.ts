// Our REST API, typed from its OpenAPI document (scripts/generate_console_api.py).
import createClient, { type Middleware } from 'openapi-fetch';
import type { components, paths } from './schema';
import { loadTold, told, type Reason } from './told';

export type Schemas = components['schemas'];

/** A refusal or fault as the server told it (RFC 9457); `code` is stable. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: { field: string; message: string }[],
  ) {
    super(detail || title);
    this.name = 'Problem';
  }
}

interface ProblemBody {
  code?: string;
  title?: string;
  detail?: string;
  reason?: Reason;
  errors?: { field: string; message: string; reason?: Reason }[];
}

/** Read the body of an answer that is no success, and say it in the reader's language as far as its codes are known. */
export async function readProblem(status: number, text: string): Promise<Problem> {
  let body: ProblemBody = {};
  try {
    body = JSON.parse(text) as ProblemBody;
  } catch {
    // Not ours: a proxy's page, perhaps. The status has to do.
  }
  await loadTold();
  const code = body.code ?? 'error';
  const errors = (body.errors ?? []).map(({ field, message, reason }) => ({
    field,
    message: told(reason, message),
  }));
  const title =
    body.title === undefined
      ? `HTTP ${status}`
      : told({ code: `problem.${code}`, values: {} }, body.title);
  const first = body.errors?.[0];
  const detail =
    first?.reason && errors[0]
      ? `${first.field}: ${errors[0].message}`
      : told(body.reason, body.detail ?? '');
  return new Problem(status, code, title, detail, errors);
}

const problems: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw await readProblem(response.status, await response.clone().text());
  },
};

/** The client: `const { data } = await api.GET('/api/v1/stations', ...)`; anything but success throws a Problem. */
export const api = createClient<paths>({
  baseUrl: '',
  headers: { 'X-Pilotwire': '1' },
});
api.use(problems);

/** Take the data out of an answer; an answer without any is a fault. */
export async function data<Content>(answer: Promise<{ data?: Content }>): Promise<Content> {
  const { data: content } = await answer;
  if (content === undefined) throw new Problem(0, 'error', 'The answer was empty.', '', []);
  return content;
}

/** Ask page after page until there is no more: for lists that are searched and saved as a whole. */
export async function allPages<Item>(
  ask: (cursor: string | null) => Promise<{ items: Item[]; next?: string | null }>,
): Promise<{ items: Item[] }> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: Item[]; next?: string | null } = await ask(cursor);
    items.push(...page.items);
    cursor = page.next ?? null;
  } while (cursor);
  return { items };
}
