// Certificates of one station: issued, wanted, and what it has installed.
import { useQuery } from '@tanstack/react-query';
import { RefreshCw } from 'lucide-react';
import { useMay } from '@/api/me';
import { useStation } from '@/live/hooks';
import { Certificates, Requests } from '@/screens/security/certificates';
import { Button } from '@/ui/button';
import { ErrorState, LoadingRows } from '@/ui/states';
import { ask } from './ask';
import { t } from './records-text';

interface Installed {
  use: string;
  hash?: { serial_number?: string; serialNumber?: string } & Record<string, unknown>;
}

export function StationCertificates({ stationId }: { stationId: string }) {
  return (
    <div
      role="region"
      aria-label={t('cert.all')}
      tabIndex={0}
      className="flex min-h-0 flex-1 flex-col overflow-y-auto focus-visible:-outline-offset-2"
    >
      <div className="flex min-h-52 shrink-0 flex-col">
        <Certificates stationId={stationId} />
      </div>
      <h2 className="border-t border-line px-4 pt-3 pb-1 font-semibold">{t('cert.requests')}</h2>
      <div className="flex min-h-40 shrink-0 flex-col">
        <Requests stationId={stationId} />
      </div>
      <InstalledRoots stationId={stationId} />
    </div>
  );
}

/** What the station says that it trusts. It is asked when somebody wants to know. */
function InstalledRoots({ stationId }: { stationId: string }) {
  const may = useMay('call_stations');
  const station = useStation(stationId);
  const told = useQuery({
    queryKey: ['station', stationId, 'installed-certificates'],
    queryFn: () => ask(stationId, { command: 'list_certificates' }),
    enabled: false,
    retry: false,
    gcTime: 600_000,
  });
  if (!may) return null;
  return (
    <section className="border-t border-line px-4 py-3">
      <div className="flex flex-wrap items-center gap-3">
        <h2 className="font-semibold">{t('cert.installed')}</h2>
        <Button
          small
          icon={RefreshCw}
          busy={told.isFetching}
          disabled={told.isFetching || !station?.connected}
          onClick={() => void told.refetch()}
        >
          {t('cert.ask')}
        </Button>
      </div>
      {told.isError ? (
        <ErrorState error={told.error} />
      ) : told.isFetching ? (
        <LoadingRows rows={2} />
      ) : told.data ? (
        <InstalledList result={told.data} />
      ) : (
        <p className="pt-1 text-muted">{t('cert.ask.hint')}</p>
      )}
    </section>
  );
}

function InstalledList({ result }: { result: Record<string, unknown> }) {
  const list = Object.values(result).find((each): each is Installed[] => Array.isArray(each)) ?? [];
  if (list.length === 0) return <p className="pt-1 text-muted">{t('cert.installed.none')}</p>;
  return (
    <ul className="pt-1">
      {list.map((each, index) => (
        <li
          key={index}
          className="border-b border-line py-1.5 font-mono text-xs break-all last:border-0"
        >
          {JSON.stringify(each)}
        </li>
      ))}
    </ul>
  );
}
