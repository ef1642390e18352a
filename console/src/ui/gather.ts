// Gathers all that fits a filter from pages of a list, as the text of a file. Pure: nothing is shown or saved here.
import { csvLines, type Cell } from './csv';

/** A file holds no more entries than this, so that neither browser nor server chokes on a list without end. */
export const MOST_ROWS = 100_000;

/** The size of the pages that are asked for: what the server gives at most. */
export const PAGE_ROWS = 1000;

const PAUSES_MS = [1000, 4000];

export interface PageOf<Item> {
  items: Item[];
  next?: string | null | undefined;
}

/** What a file is made of. */
export interface Source<Item> {
  /** Asks for the page after a cursor; undefined asks for the first. */
  ask: (cursor: string | undefined, signal: AbortSignal) => Promise<PageOf<Item>>;
  /** Whether an entry is wanted, where the server cannot tell. */
  keep?: (item: Item) => boolean;
  /** The first line, if there is one. */
  head?: string;
  /** Entries as lines, without a break after the last. */
  lines: (items: Item[]) => string;
  lineBreak: '\r\n' | '\n';
}

/** A source that is written as CSV. */
export function csvSource<Item>(
  head: string[],
  row: (item: Item) => Cell[],
  ask: Source<Item>['ask'],
  keep?: (item: Item) => boolean,
): Source<Item> {
  return {
    ask,
    ...(keep ? { keep } : {}),
    head: csvLines([head]),
    lines: (items) => csvLines(items.map(row)),
    lineBreak: '\r\n',
  };
}

/** Where a gathering stands. */
export interface Gathered {
  /** Entries that were looked at, and those of them that are wanted. */
  read: number;
  kept: number;
  /** The list goes on beyond the most that a file holds. */
  more: boolean;
}

const pause = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('cancelled', 'AbortError'));
    });
  });

/**
 * Goes through the pages of a list. When a page fails, `run` throws and what was gathered stays: called again it goes on
 * with that page.
 */
export class Gathering<Item> {
  read = 0;
  kept = 0;
  more = false;
  private readonly parts: string[] = [];
  private cursor: string | undefined;
  private isDone = false;

  constructor(
    private readonly source: Source<Item>,
    private readonly most = MOST_ROWS,
    private readonly pauses: readonly number[] = PAUSES_MS,
  ) {
    if (source.head !== undefined) this.parts.push(source.head);
  }

  /** Ask page after page until the end or the bound; `onPage` is told after each. */
  async run(signal: AbortSignal, onPage: (now: Gathered) => void): Promise<Gathered> {
    while (!this.isDone) {
      const page = await this.page(signal);
      this.take(page);
      onPage(this);
    }
    return this;
  }

  /** The content of the file, in parts: one text might be longer than a browser's longest. Only whole once `run` has ended. */
  content(): string[] {
    if (!this.isDone) throw new Error('the list was not read to its end');
    return this.parts.flatMap((part, index) =>
      index === 0 ? [part] : [this.source.lineBreak, part],
    );
  }

  private async page(signal: AbortSignal): Promise<PageOf<Item>> {
    for (let failures = 0; ; failures += 1) {
      try {
        const page = await this.source.ask(this.cursor, signal);
        signal.throwIfAborted();
        return page;
      } catch (fault) {
        const wait = this.pauses[failures];
        if (signal.aborted || wait === undefined || !isPassing(fault)) throw fault;
        await pause(wait, signal);
      }
    }
  }

  private take(page: PageOf<Item>): void {
    const { keep } = this.source;
    const wanted = keep ? page.items.filter(keep) : page.items;
    const room = this.most - this.kept;
    const taken = wanted.slice(0, room);
    if (taken.length > 0) this.parts.push(this.source.lines(taken));
    this.read += page.items.length;
    this.kept += taken.length;
    this.cursor = page.next ?? undefined;
    this.more = wanted.length > room || (this.kept >= this.most && this.cursor !== undefined);
    this.isDone = this.more || this.cursor === undefined;
  }
}

/** Whether asking once more may help: a lost connection, a server that is busy or restarting. */
function isPassing(fault: unknown): boolean {
  const status = (fault as { status?: unknown } | null)?.status;
  return typeof status !== 'number' || status === 0 || status === 429 || status >= 500;
}
