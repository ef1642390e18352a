// Server-sent events over fetch: unlike EventSource it can send Last-Event-ID with its first request and tells the
// status of a refusal. Grammar: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Cuts a stream of text into events. */
export class EventParser {
  #rest = '';
  #id: string;

  constructor(lastId = '') {
    this.#id = lastId;
  }

  /** The id of the newest block, with or without data. */
  get lastId(): string {
    return this.#id;
  }

  push(text: string): ServerEvent[] {
    this.#rest += text.replaceAll('\r\n', '\n');
    const blocks = this.#rest.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    return blocks.map((block) => this.#read(block)).filter((event) => event !== null);
  }

  #read(block: string): ServerEvent | null {
    let event = 'message';
    const data: string[] = [];
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id') this.#id = value;
      else if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
    }
    return data.length === 0 ? null : { id: this.#id, event, data: data.join('\n') };
  }
}

export class Refused extends Error {
  constructor(readonly status: number) {
    super(`the server answered ${status}`);
  }
}

/** Read a stream until it ends. Throws Refused, or what fetch throws. */
export async function readStream(
  url: string,
  lastId: string,
  signal: AbortSignal,
  take: (event: ServerEvent) => void,
): Promise<void> {
  const headers: Record<string, string> = { accept: 'text/event-stream' };
  if (lastId) headers['last-event-id'] = lastId;
  const response = await fetch(url, { headers, signal, cache: 'no-store' });
  if (!response.ok || !response.body) throw new Refused(response.status);
  const parser = new EventParser(lastId);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const event of parser.push(value)) take(event);
  }
}
