// What is wrong with a failed handshake, in the reader's language.
import { messages } from '@/i18n';

const t = messages<typeof import('@/i18n/en/handshakes.json')>(
  import.meta.glob('/src/i18n/*/handshakes.json', { eager: true, import: 'default' }),
);

/** Explain a handshake; a problem that this console does not know yet is told in the server's words. */
export function explain({
  problem,
  explanation,
}: {
  problem: string;
  explanation: string;
}): string {
  const text = t(problem as Parameters<typeof t>[0]);
  return text === problem ? explanation : text;
}
