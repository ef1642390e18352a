// The one connection to the server's live stream, for all pages of a browser: it runs in a SharedWorker, or in the
// page where there is none. It keeps the picture so that a page that comes later needs no request.
import { applyTick, pictureOf, snapshotOf, type Picture } from './picture';
import { readStream, Refused, type ServerEvent } from './sse';
import type { FeedMessage, Link, PageMessage, PowerPoint, Snapshot, Tick } from './types';

const SNAPSHOT = '/api/v1/live/snapshot';
const STREAM = '/api/v1/live/stream';
/** The server says something every two seconds at least. */
const SILENCE_MS = 5000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const HISTORY_S = 3600;

export type Tell = (message: FeedMessage) => void;

export class Feed {
  readonly #pages = new Set<Tell>();
  #picture: Picture | null = null;
  #lastId = '';
  #history: PowerPoint[] = [];
  #link: Link = 'connecting';
  #status: number | null = null;
  #run: AbortController | null = null;
  #heardAt = 0;

  /** Add a page; it is told where things stand. Gives the function for what the page says. */
  join(tell: Tell): (message: PageMessage) => void {
    return (message) => {
      if (message.kind === 'goodbye') {
        this.#pages.delete(tell);
        if (this.#pages.size === 0) this.#stop();
        return;
      }
      const isNew = !this.#pages.has(tell);
      this.#pages.add(tell);
      if (message.kind === 'restart') this.#stop();
      if (this.#run === null || this.#link === 'refused') this.#start();
      else if (isNew) {
        if (this.#picture) tell(this.#whole(this.#picture));
        tell({ kind: 'link', link: this.#link, status: this.#status });
      }
    };
  }

  #whole(picture: Picture): FeedMessage {
    return {
      kind: 'snapshot',
      snapshot: snapshotOf(picture, this.#lastId),
      history: this.#history,
    };
  }

  #stop(): void {
    this.#run?.abort();
    this.#run = null;
    this.#picture = null;
    this.#lastId = '';
    this.#history = [];
  }

  #start(): void {
    this.#run?.abort();
    const run = new AbortController();
    this.#run = run;
    this.#heardAt = Date.now();
    this.#setLink('connecting');
    void this.#keepConnected(run.signal);
  }

  async #keepConnected(signal: AbortSignal): Promise<void> {
    let failures = 0;
    const over = () => signal.aborted;
    while (!over()) {
      const attempt = new AbortController();
      const begunAt = Date.now();
      const give = () => attempt.abort();
      signal.addEventListener('abort', give);
      const watch = setInterval(() => {
        if (Date.now() - this.#heardAt > SILENCE_MS) this.#setLink('lost');
        // A dead connection may stay open for minutes: try a new one.
        if (Date.now() - Math.max(this.#heardAt, begunAt) > 2 * SILENCE_MS) attempt.abort();
      }, 1000);
      try {
        if (this.#picture === null) await this.#fetchPicture(attempt.signal);
        await readStream(STREAM, this.#lastId, attempt.signal, (event) => {
          failures = 0;
          this.#take(event);
        });
      } catch (fault) {
        if (over()) return;
        if (fault instanceof Refused && (fault.status === 401 || fault.status === 403)) {
          this.#setLink('refused', fault.status);
          return;
        }
      } finally {
        clearInterval(watch);
        signal.removeEventListener('abort', give);
      }
      if (over()) return;
      if (Date.now() - this.#heardAt > SILENCE_MS) this.#setLink('lost');
      const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 8000;
      failures += 1;
      // All consoles of a restarted server must not come back in the same moment.
      await pause(wait * (0.75 + Math.random() / 2));
    }
  }

  async #fetchPicture(signal: AbortSignal): Promise<void> {
    const response = await fetch(SNAPSHOT, { signal, cache: 'no-store' });
    if (!response.ok) throw new Refused(response.status);
    const snapshot = (await response.json()) as Snapshot;
    this.#picture = pictureOf(snapshot);
    this.#lastId = snapshot.id;
    this.#remember();
    this.#tell(this.#whole(this.#picture));
    this.#hear();
  }

  #take(event: ServerEvent): void {
    if (event.event === 'reset') {
      this.#picture = null;
      this.#lastId = '';
      throw new Error('the stream cannot go on where it broke off');
    }
    if (event.event === 'tick' && this.#picture) {
      const tick = JSON.parse(event.data) as Tick;
      applyTick(this.#picture, tick);
      this.#remember();
      this.#tell({ kind: 'tick', tick });
    }
    this.#lastId = event.id;
    this.#hear();
  }

  #hear(): void {
    this.#heardAt = Date.now();
    this.#setLink('live');
  }

  #remember(): void {
    if (!this.#picture) return;
    const at = Math.round(new Date(this.#picture.at).getTime() / 1000);
    const last = this.#history.at(-1);
    if (last && at <= last[0]) return;
    this.#history.push([at, this.#picture.kpi.power_w]);
    if (this.#history.length > HISTORY_S) this.#history.shift();
  }

  #setLink(link: Link, status: number | null = null): void {
    if (link === this.#link && status === this.#status) return;
    this.#link = link;
    this.#status = status;
    this.#tell({ kind: 'link', link, status });
  }

  #tell(message: FeedMessage): void {
    for (const tell of this.#pages) tell(message);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
