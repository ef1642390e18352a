// Smart charging of a station: the limits that hold, drawn as steps; its profiles; what it may draw when nobody tells it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChartNoAxesColumn, Plus, RefreshCw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { giveCommand } from '@/commands/give';
import { moment, number } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import type { LiveStation } from '@/live/types';
import { Button, IconButton } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { LazyPlot } from '@/ui/lazy-plot';
import { Ago } from '@/ui/live';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { ask } from './ask';
import { ProfileDialog } from './charging-dialog';
import { t } from './charging-text';
import { compositeOf, DAY_S, profilesOf, stepsOf, type Profile, type Schedule } from './profiles';

interface Told {
  at: number;
  composites: { evse: number; schedule: Schedule | null }[];
  /** null: OCPP 1.6 does not tell. */
  profiles: Profile[] | null;
}

async function askAll(station: LiveStation): Promise<Told> {
  const composites: Told['composites'] = [];
  for (const evse of station.evses.slice(0, 8)) {
    const result = await ask(station.id, {
      command: 'get_composite_schedule',
      evse_id: evse.id,
      duration_s: DAY_S,
    });
    composites.push({ evse: evse.id, schedule: compositeOf(result) });
  }
  const profiles = station.ocpp_version?.startsWith('2')
    ? profilesOf(await ask(station.id, { command: 'get_charging_profiles' }))
    : null;
  return { at: Date.now(), composites, profiles };
}

export function StationCharging({ stationId }: { stationId: string }) {
  const station = useStation(stationId);
  const may = useMay('call_stations');
  const [isSetting, setSetting] = useState(false);
  const [clears, setClears] = useState<Profile | 'all' | null>(null);
  const told = useQuery({
    queryKey: ['station', stationId, 'charging'],
    queryFn: () => (station ? askAll(station) : Promise.reject(new Error(t('away')))),
    enabled: false,
    retry: false,
    gcTime: 600_000,
  });
  if (!station) return <LoadingRows />;
  const again = () => void told.refetch();
  return (
    <div
      role="region"
      aria-label={t('title')}
      tabIndex={0}
      className="flex min-h-0 flex-1 flex-col gap-4 overflow-auto p-4 focus-visible:-outline-offset-2"
    >
      <div className="flex flex-wrap items-center gap-2">
        <Energy station={station} />
        {may && (
          <div className="no-print ml-auto flex flex-wrap gap-2">
            {told.data && (
              <span className="self-center text-xs text-muted">
                {t('told')} <Ago at={told.data.at} />
              </span>
            )}
            <Button
              small
              icon={RefreshCw}
              busy={told.isFetching}
              disabled={!station.connected || told.isFetching}
              onClick={again}
            >
              {t('ask')}
            </Button>
            <Button small icon={Plus} onClick={() => setSetting(true)}>
              {t('set')}
            </Button>
            <Button small icon={Trash2} onClick={() => setClears('all')}>
              {t('clear')}
            </Button>
          </div>
        )}
      </div>
      {told.isError ? (
        <ErrorState error={told.error} onRetry={again} />
      ) : told.isFetching && !told.data ? (
        <LoadingRows />
      ) : told.data ? (
        <Answer told={told.data} may={may} onClear={setClears} />
      ) : (
        <EmptyState icon={ChartNoAxesColumn} title={t('unasked')}>
          {station.connected ? t(may ? 'unasked.hint' : 'unasked.may') : t('away')}
        </EmptyState>
      )}
      {isSetting && (
        <ProfileDialog station={station} onClose={() => setSetting(false)} onDone={again} />
      )}
      {clears && (
        <ClearDialog
          station={station}
          profile={clears}
          onClose={() => setClears(null)}
          onDone={again}
        />
      )}
    </div>
  );
}

/** What energy management says about the station, where it is on. */
function Energy({ station }: { station: LiveStation }) {
  const site = station.site_id;
  const now = useQuery({
    queryKey: ['energy', site, 'live'],
    queryFn: () =>
      data(
        api.GET('/api/v1/sites/{site_id}/energy/live', {
          params: { path: { site_id: site ?? '' } },
        }),
      ),
    enabled: site !== null,
    retry: false,
    refetchInterval: (query) => (query.state.error ? false : 5000),
  });
  const own = now.data?.evses.filter((evse) => evse.station_id === station.id) ?? [];
  if (!site || own.length === 0) return <p className="text-muted">{t('unmanaged')}</p>;
  return (
    <div className="flex flex-wrap gap-x-6 gap-y-1">
      <dl className="flex flex-wrap gap-x-6 gap-y-1">
        {own.map((evse) => (
          <div key={evse.key} className="flex items-baseline gap-2">
            <dt className="font-medium">{t('evse', { number: evse.evse_id })}</dt>
            <dd className="tabular">
              {t('limit', { amps: number(evse.limit_a, 1) })}
              <span className="text-muted">
                {' · '}
                {t('bound', { amps: number(evse.offline_bound_a, 1) })}
              </span>
            </dd>
          </div>
        ))}
      </dl>
      <Link to="/energy/$siteId" params={{ siteId: site }} className="text-accent hover:underline">
        {t('energy')}
      </Link>
    </div>
  );
}

function Answer({
  told,
  may,
  onClear,
}: {
  told: Told;
  may: boolean;
  onClear: (profile: Profile) => void;
}) {
  return (
    <>
      <section className="grid gap-4 lg:grid-cols-2">
        {told.composites.map(({ evse, schedule }) => (
          <Steps
            key={evse}
            title={t('composite', { number: evse })}
            schedule={schedule}
            from={told.at / 1000}
          />
        ))}
      </section>
      <section className="flex flex-col gap-2">
        <h2 className="text-sm font-semibold">{t('profiles')}</h2>
        {told.profiles === null ? (
          <p className="text-muted">{t('profiles.v16')}</p>
        ) : told.profiles.length === 0 ? (
          <p className="text-muted">{t('profiles.none')}</p>
        ) : (
          <ul className="grid gap-4 lg:grid-cols-2">
            {told.profiles.map((profile) => (
              <li
                key={`${profile.evse_id} ${profile.id}`}
                className="min-w-0 rounded-lg border border-line p-3"
              >
                <ProfileCard
                  profile={profile}
                  from={told.at / 1000}
                  onClear={may ? () => onClear(profile) : null}
                />
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

const PURPOSES = [
  'station',
  'default',
  'session',
  'external',
  'priority',
  'local_generation',
] as const;
const KINDS = ['absolute', 'daily', 'weekly', 'relative'] as const;

function ProfileCard({
  profile,
  from,
  onClear,
}: {
  profile: Profile;
  from: number;
  onClear: (() => void) | null;
}) {
  const purpose = PURPOSES.find((each) => each === profile.purpose);
  const kind = KINDS.find((each) => each === profile.kind);
  return (
    <>
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h3 className="font-medium">
            {purpose ? t(`purpose.${purpose}`) : profile.purpose}
            {', '}
            {profile.evse_id === 0 ? t('whole') : t('evse', { number: profile.evse_id })}
          </h3>
          <p className="text-xs text-muted">
            {[
              t('profile.number', { number: String(profile.id) }),
              t('profile.level', { level: profile.stack_level }),
              kind ? t(`kind.${kind}`) : profile.kind,
              profile.valid_to ? t('profile.until', { when: moment(profile.valid_to) }) : '',
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        </div>
        {onClear && profile.purpose !== 'external' && (
          <IconButton
            icon={Trash2}
            label={t('clear.one', { number: String(profile.id) })}
            onClick={onClear}
          />
        )}
      </div>
      {profile.schedules.slice(0, 1).map((schedule, index) => (
        <Steps key={index} schedule={schedule} from={from} small />
      ))}
    </>
  );
}

function Steps({
  title,
  schedule,
  from,
  small = false,
}: {
  title?: string;
  schedule: Schedule | null;
  from: number;
  small?: boolean;
}) {
  const unit = schedule?.unit === 'w' ? 'kW' : 'A';
  const steps = schedule && stepsOf(schedule, from);
  return (
    <div className="min-w-0">
      {title && <h2 className="mb-2 text-sm font-semibold">{title}</h2>}
      {steps && steps.times.length > 1 ? (
        <LazyPlot
          label={title ?? t('profiles')}
          unit={unit}
          series={[{ label: t('plot.limit'), colour: '--plot-limit', stepped: true, fill: false }]}
          data={steps}
          height={small ? 110 : 160}
          name="charging-limits"
        />
      ) : (
        <p className="text-muted">{t('composite.none')}</p>
      )}
    </div>
  );
}

function ClearDialog({
  station,
  profile,
  onClose,
  onDone,
}: {
  station: LiveStation;
  profile: Profile | 'all';
  onClose: () => void;
  onDone: () => void;
}) {
  const which =
    profile === 'all'
      ? ['default', 'session', 'station'].map((scope) => ({ command: 'clear_limit', scope }))
      : [{ command: 'clear_charging_profiles', profile_id: profile.id }];
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('clear.title')}
      consequence={
        profile === 'all'
          ? t('clear.all.hint')
          : t('clear.one.hint', { number: String(profile.id) })
      }
      action={t('clear')}
      destructive
      onConfirm={() => {
        onClose();
        void (async () => {
          for (const command of which) await giveCommand(t('clear'), command, [station.id]);
          onDone();
        })();
      }}
    />
  );
}
