// The SharedWorker: one feed for all pages of this browser.
import { Feed } from './feed';
import type { PageMessage } from './types';

const feed = new Feed();

addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0];
  if (!port) return;
  const say = feed.join((message) => port.postMessage(message));
  port.onmessage = (message: MessageEvent<PageMessage>) => say(message.data);
  port.start();
});
