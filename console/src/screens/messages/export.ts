// All messages of a station that fit, as a file: CSV with call and answer in one row, or frames as JSON lines.
import { api, data } from '@/api/client';
import { download } from '@/ui/download';
import { csvSource, PAGE_ROWS, type Source } from '@/ui/gather';
import { Pairing, repairs, type Exchange } from './pairs';

export function askMessages(
  stationId: string,
  limit: number,
  cursor?: string,
  signal?: AbortSignal,
) {
  return data(
    api.GET('/api/v1/stations/{station_id}/messages', {
      params: {
        path: { station_id: stationId },
        query: { limit, ...(cursor ? { cursor } : {}) },
      },
      ...(signal ? { signal } : {}),
    }),
  );
}

const HEAD = [
  'at',
  'direction',
  'message_id',
  'action',
  'call',
  'answer_type',
  'answer',
  'latency_ms',
  'repairs',
];

/** Save every call that is wanted, with its answer. */
export function downloadMessages(
  stationId: string,
  keep: (exchange: Exchange) => boolean,
  ending: 'csv' | 'jsonl',
): void {
  const pairing = new Pairing();
  const ask: Source<Exchange>['ask'] = async (cursor, signal) => {
    const page = await askMessages(stationId, PAGE_ROWS, cursor, signal);
    signal.throwIfAborted();
    return { items: pairing.add(page.items), next: page.next };
  };
  const source: Source<Exchange> =
    ending === 'csv'
      ? csvSource(
          HEAD,
          (exchange) => [
            exchange.call.at,
            exchange.call.direction,
            exchange.call.message_id,
            exchange.call.action,
            JSON.stringify(exchange.call.payload),
            exchange.answer?.type,
            exchange.answer ? JSON.stringify(exchange.answer.payload) : '',
            exchange.latencyMs,
            repairs(exchange).join(' '),
          ],
          ask,
          keep,
        )
      : {
          ask,
          keep,
          lines: (exchanges) =>
            exchanges
              .flatMap(({ call, answer }) => (answer ? [answer, call] : [call]))
              .map((frame) => JSON.stringify(frame))
              .join('\n'),
          lineBreak: '\n',
        };
  download(`messages-${stationId}`, source, ending);
}
