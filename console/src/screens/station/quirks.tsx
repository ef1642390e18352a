// How a station differs from the specification, and is treated for it; each may be switched by hand.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { Button } from '@/ui/button';
import { Select } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { t } from './records-text';

type Quirk = Schemas['StationQuirk'];

export function useQuirks(stationId: string) {
  return useQuery({
    queryKey: ['station', stationId, 'quirks'],
    queryFn: () =>
      data(
        api.GET('/api/v1/stations/{station_id}/quirks', {
          params: { path: { station_id: stationId } },
        }),
      ),
    staleTime: 60_000,
  });
}

export function StationQuirks({ stationId }: { stationId: string }) {
  const query = useQuirks(stationId);
  const [all, setAll] = useState(false);
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <LoadingRows rows={3} />;
  const chosen = query.data.items.filter((quirk) => all || quirk.active || quirk.switched !== null);
  return (
    <section aria-labelledby="quirks" className="mt-5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 id="quirks" className="font-semibold">
          {t('quirks')}
        </h2>
        <p className="min-w-0 flex-1 text-xs text-muted">{t('quirks.hint')}</p>
        <Button small look="quiet" aria-pressed={all} onClick={() => setAll(!all)}>
          {all ? t('quirks.active') : t('quirks.all', { count: query.data.items.length })}
        </Button>
      </div>
      {chosen.length === 0 ? (
        <p className="py-3 text-muted">{t('quirks.none')}</p>
      ) : (
        <ul className="mt-1">
          {chosen.map((quirk) => (
            <Line key={quirk.name} stationId={stationId} quirk={quirk} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Line({ stationId, quirk }: { stationId: string; quirk: Quirk }) {
  const may = useMay('change_stations');
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const change = async (word: string) => {
    setBusy(true);
    try {
      const station = await data(
        api.GET('/api/v1/stations/{station_id}', { params: { path: { station_id: stationId } } }),
      );
      const others = Object.entries(station.quirk_switches).filter(([name]) => name !== quirk.name);
      const switches = Object.fromEntries(
        word === '' ? others : [...others, [quirk.name, word === 'on'] as const],
      );
      await api.PATCH('/api/v1/stations/{station_id}', {
        params: { path: { station_id: stationId } },
        body: { quirk_switches: switches } as never,
      });
      await queries.invalidateQueries({ queryKey: ['station', stationId] });
    } catch (fault) {
      toast('bad', t('refused'), faultText(fault));
    }
    setBusy(false);
  };
  const value = quirk.switched === null ? '' : quirk.switched ? 'on' : 'off';
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-1 border-b border-line py-2 last:border-0">
      <div className="min-w-0 flex-1 basis-72">
        <p className={quirk.active ? 'font-medium' : 'text-muted'}>
          {quirk.name}
          {quirk.active && <span className="ml-2 text-xs text-accent">{t('quirk.holds')}</span>}
        </p>
        <p lang="en" className="text-xs text-muted">
          {quirk.summary.replaceAll('`', '')}
        </p>
        <p className="text-xs text-muted">
          {t('quirk.for')} <span lang="en">{quirk.applies}</span>
        </p>
      </div>
      {may && (
        <Select
          aria-label={t('quirk.switch', { name: quirk.name })}
          value={value}
          disabled={busy}
          onChange={(event) => void change(event.target.value)}
          className="!w-44"
        >
          <option value="">{t('quirk.make')}</option>
          <option value="on">{t('quirk.on')}</option>
          <option value="off">{t('quirk.off')}</option>
        </Select>
      )}
    </li>
  );
}

/** Tells in the head that quirks hold, and leads to them. */
export function QuirkCount({ stationId }: { stationId: string }) {
  const count = useQuirks(stationId).data?.items.filter((quirk) => quirk.active).length ?? 0;
  if (count === 0) return null;
  return (
    <Link
      to="/stations/$stationId"
      params={{ stationId }}
      search={{ tab: 'details' }}
      className="hover:underline"
    >
      {t('quirks.count', { count })}
    </Link>
  );
}
