// Connects this page with the feed: in a SharedWorker, else in the page itself.
import { Feed } from './feed';
import type { FeedMessage, PageMessage } from './types';

export type Say = (message: PageMessage) => void;

/** Connect; `tell` is called with what the feed says. */
export function connect(tell: (message: FeedMessage) => void): Say {
  const say = connectToWorker(tell) ?? new Feed().join(tell);
  addEventListener('pagehide', () => say({ kind: 'goodbye' }));
  addEventListener('pageshow', (event) => {
    if (event.persisted) say({ kind: 'hello' });
  });
  say({ kind: 'hello' });
  return say;
}

function connectToWorker(tell: (message: FeedMessage) => void): Say | null {
  if (typeof SharedWorker === 'undefined') return null;
  try {
    const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), {
      type: 'module',
      name: 'pilotwire-live',
    });
    let heard = false;
    let own: Say | null = null;
    worker.port.onmessage = (event: MessageEvent<FeedMessage>) => {
      heard = true;
      if (!own) tell(event.data);
    };
    worker.onerror = () => {
      // The worker could not be loaded: go on without it.
      if (heard || own) return;
      own = new Feed().join(tell);
      own({ kind: 'hello' });
    };
    worker.port.start();
    return (message) => (own ?? ((sent: PageMessage) => worker.port.postMessage(sent)))(message);
  } catch {
    return null;
  }
}
