import { useQuery } from '@tanstack/react-query';
import { CheckCircle2, CircleAlert, TriangleAlert } from 'lucide-react';
import { api, data } from '@/api/client';
import { duration, number } from '@/i18n/quantity';
import { useNow } from '@/live/hooks';
import { Facts } from '@/ui/facts';
import { ErrorState, LoadingRows } from '@/ui/states';
import { Scrolled } from './act';
import { t } from './text';

interface Ready {
  status: string;
  components: Record<string, string>;
  warnings: string[];
}

/** The server is asked without the client: an answer of 503 is an answer too. */
async function fetchReady(): Promise<Ready> {
  const answer = await fetch('/health/ready');
  return (await answer.json()) as Ready;
}

/** Read the figures without labels out of the text for Prometheus. */
export function readFigures(text: string): Map<string, number> {
  const figures = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^([a-z_]+) (\S+)$/.exec(line);
    if (found?.[1] && found[2]) figures.set(found[1], Number(found[2]));
  }
  return figures;
}

async function fetchFigures(): Promise<Map<string, number>> {
  const answer = await fetch('/metrics');
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return readFigures(await answer.text());
}

export function System() {
  const ready = useQuery({
    queryKey: ['system', 'ready'],
    queryFn: fetchReady,
    refetchInterval: 5000,
  });
  const figures = useQuery({
    queryKey: ['system', 'figures'],
    queryFn: fetchFigures,
    refetchInterval: 5000,
  });
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: () => data(api.GET('/api/v1/overview')),
    staleTime: Infinity,
  });
  const now = useNow(5000);
  if (ready.isError) return <ErrorState error={ready.error} onRetry={() => void ready.refetch()} />;
  if (!ready.data) return <LoadingRows />;
  const isReady = ready.data.status === 'ready';
  const Icon = isReady ? CheckCircle2 : CircleAlert;
  const say = (name: string) => {
    const value = figures.data?.get(name);
    return value === undefined ? null : number(value);
  };
  const start = figures.data?.get('process_start_time_seconds');
  const memory = figures.data?.get('process_resident_memory_bytes');
  return (
    <Scrolled label={t('tab.system')}>
      <p role="status" className="flex items-center gap-2 pb-3 text-lg font-semibold">
        <Icon aria-hidden size={20} className={isReady ? 'text-good' : 'text-danger'} />
        {t(isReady ? 'system.ready' : 'system.not-ready')}
      </p>
      {ready.data.warnings.length > 0 && (
        <section className="mb-4 rounded-lg bg-warning-soft px-4 py-3 text-sm text-warning">
          <h2 className="flex items-center gap-2 font-semibold">
            <TriangleAlert aria-hidden size={16} />
            {t('system.warnings')}
          </h2>
          <ul className="pt-1 pl-6">
            {ready.data.warnings.map((warning) => (
              <li key={warning} lang="en">
                {warning}
              </li>
            ))}
          </ul>
        </section>
      )}
      <div className="grid grid-cols-1 gap-x-10 gap-y-4 lg:grid-cols-2">
        <section>
          <h2 className="border-b border-line pb-1 text-sm">{t('system.parts')}</h2>
          <Facts
            lines={Object.entries(ready.data.components).map(([name, state]) => [
              t('system.part', { name }),
              state === 'ok' ? t('system.ok') : <span className="text-danger">{state}</span>,
            ])}
          />
        </section>
        <section>
          <h2 className="border-b border-line pb-1 text-sm">{t('system.writer')}</h2>
          <Facts
            lines={[
              [t('system.waiting'), say('pilotwire_writer_waiting')],
              [t('system.entries'), say('pilotwire_writer_entries_total')],
              [t('system.batches'), say('pilotwire_writer_batches_total')],
              [t('system.poisoned'), say('pilotwire_writer_poisoned_total')],
            ]}
          />
        </section>
        <section>
          <h2 className="border-b border-line pb-1 text-sm">{t('system.traffic')}</h2>
          <Facts
            lines={[
              [t('system.address'), overview.data?.stations_url],
              [t('system.connected'), say('pilotwire_stations_connected')],
              [t('system.known'), say('pilotwire_stations_known')],
              [t('system.frames'), say('pilotwire_frames_received_total')],
              [t('system.live'), say('pilotwire_live_streams')],
              [t('system.streams'), say('pilotwire_event_streams')],
            ]}
          />
        </section>
        <section>
          <h2 className="border-b border-line pb-1 text-sm">{t('system.process')}</h2>
          <Facts
            lines={[
              [t('system.up'), start !== undefined && duration(now / 1000 - start)],
              [t('system.memory'), memory !== undefined && `${number(memory / 1e6)} MB`],
              [t('system.files'), say('process_open_fds')],
            ]}
          />
        </section>
      </div>
      {figures.isError && <p className="pt-3 text-muted">{t('system.no-figures')}</p>}
    </Scrolled>
  );
}
