// The live picture of this page, outside React. Ticks are gathered and applied four times a second at most, and not at
// all while nobody can see the page; components listen to the one station or the figures that they show.
import { connect, type Say } from './connect';
import { applyTick, pictureOf, type Picture } from './picture';
import type {
  FeedMessage,
  LiveEvent,
  LiveFigures,
  LiveMatter,
  LiveStation,
  Link,
  PowerPoint,
  Tick,
} from './types';

const APPLY_MS = 250;
const EVENTS_KEPT = 200;
const HISTORY_S = 3600;

type Listener = () => void;

export class LiveStore {
  #picture: Picture | null = null;
  #waiting: Tick[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #listeners = new Set<Listener>();
  #stationListeners = new Map<string, Set<Listener>>();
  #say: Say | null = null;

  /** Grows with every applied tick; `listVersion` only when stations came, went or changed. */
  version = 0;
  listVersion = 0;
  link: Link = 'connecting';
  /** The status with which the server refused. */
  refusal: number | null = null;
  heardAt = 0;
  history: PowerPoint[] = [];
  events: LiveEvent[] = [];
  #list: LiveStation[] = [];
  #listOf = -1;

  /** Connect to the server, once. */
  start(): void {
    if (this.#say) return;
    this.#say = connect((message) => this.take(message));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#apply();
    });
  }

  /** Begin anew, after somebody has signed in or out. */
  restart(): void {
    this.#picture = null;
    this.#waiting = [];
    if (this.#say) this.#say({ kind: 'restart' });
    else this.start();
    this.#changed();
  }

  take(message: FeedMessage): void {
    this.heardAt = Date.now();
    switch (message.kind) {
      case 'snapshot':
        this.#waiting = [];
        this.#picture = pictureOf(message.snapshot);
        this.history = message.history.slice();
        this.listVersion += 1;
        this.#changed();
        for (const listeners of this.#stationListeners.values())
          for (const tell of listeners) tell();
        break;
      case 'tick':
        this.#waiting.push(message.tick);
        if (!document.hidden) this.#timer ??= setTimeout(() => this.#apply(), APPLY_MS);
        break;
      case 'link':
        this.link = message.link;
        this.refusal = message.status;
        this.#changed();
    }
  }

  #apply(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ticks = this.#waiting;
    this.#waiting = [];
    if (!this.#picture || ticks.length === 0) return;
    const touched = new Set<string>();
    for (const tick of ticks) {
      for (const id of applyTick(this.#picture, tick)) touched.add(id);
      const at = Math.round(new Date(tick.at).getTime() / 1000);
      if (at > (this.history.at(-1)?.[0] ?? 0)) this.history.push([at, this.#picture.kpi.power_w]);
      if (tick.events?.length) {
        this.events = [...tick.events.toReversed(), ...this.events].slice(0, EVENTS_KEPT);
      }
    }
    if (this.history.length > HISTORY_S) this.history.splice(0, this.history.length - HISTORY_S);
    if (touched.size > 0) this.listVersion += 1;
    for (const id of touched) {
      for (const tell of this.#stationListeners.get(id) ?? []) tell();
    }
    this.#changed();
  }

  #changed(): void {
    this.version += 1;
    for (const tell of this.#listeners) tell();
  }

  get ready(): boolean {
    return this.#picture !== null;
  }

  get kpi(): LiveFigures | null {
    return this.#picture?.kpi ?? null;
  }

  get attention(): LiveMatter[] {
    return this.#picture?.attention ?? NO_MATTERS;
  }

  get at(): string | null {
    return this.#picture?.at ?? null;
  }

  station(id: string): LiveStation | undefined {
    return this.#picture?.stations.get(id);
  }

  /** All stations; the same array until one of them changes. */
  list(): LiveStation[] {
    if (this.#listOf !== this.listVersion) {
      this.#listOf = this.listVersion;
      this.#list = this.#picture ? [...this.#picture.stations.values()] : [];
    }
    return this.#list;
  }

  subscribe = (tell: Listener): (() => void) => {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  };

  subscribeStation(id: string, tell: Listener): () => void {
    let listeners = this.#stationListeners.get(id);
    if (!listeners) this.#stationListeners.set(id, (listeners = new Set()));
    listeners.add(tell);
    return () => {
      listeners.delete(tell);
      if (listeners.size === 0) this.#stationListeners.delete(id);
    };
  }
}

const NO_MATTERS: LiveMatter[] = [];

/** The page's one store. */
export const live = new LiveStore();
