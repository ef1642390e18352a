// Leads through bringing a charger in: which make, who it is, what to type, and what happens when it knocks.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Check, Lock } from 'lucide-react';
import { useEffect } from 'react';
import { api, data } from '@/api/client';
import { useMay } from '@/api/me';
import { tApp } from '@/app/text';
import { useStation } from '@/live/hooks';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { BrandStep } from './brand-step';
import { addressFor, findBrand } from './brands';
import { CheckStep } from './check-step';
import { IdentityStep } from './identity-step';
import { onboardingRoute, stepOf, STEPS, type OnboardingSearch, type Step } from './route';
import { Settings } from './settings';
import { t } from './text';
import { Waiting } from './waiting';

export function Onboarding() {
  const search = onboardingRoute.useSearch();
  const may = useMay('change_stations');
  const step = stepOf(search);
  return (
    <>
      <PageHeader title={t('title')} back={{ to: '/stations', label: tApp('nav.stations') }} />
      <PageBody>
        {may ? (
          <>
            <Steps at={step} />
            <Content step={step} search={search} />
          </>
        ) : (
          <EmptyState icon={Lock} title={t('forbidden')}>
            {t('forbidden.hint')}
          </EmptyState>
        )}
      </PageBody>
    </>
  );
}

function Steps({ at }: { at: Step }) {
  const now = STEPS.indexOf(at);
  return (
    <ol aria-label={t('steps')} className="flex flex-wrap gap-x-6 gap-y-1 max-sm:gap-x-3">
      {STEPS.map((step, index) => (
        <li
          key={step}
          aria-current={index === now ? 'step' : undefined}
          className={classes(
            'flex items-center gap-2 max-sm:gap-1.5',
            index === now ? 'font-medium' : 'text-muted',
          )}
        >
          <span
            aria-hidden
            className={classes(
              'inline-flex size-5 items-center justify-center rounded-full border text-xs tabular',
              index === now ? 'border-accent bg-accent text-on-accent' : 'border-line-strong',
            )}
          >
            {index < now ? <Check size={12} /> : index + 1}
          </span>
          {t(`step.${step}`)}
        </li>
      ))}
    </ol>
  );
}

function Content({ step, search }: { step: Step; search: OnboardingSearch }) {
  const navigate = useNavigate({ from: '/onboarding' });
  const overview = useQuery({
    queryKey: ['overview'],
    queryFn: () => data(api.GET('/api/v1/overview')),
    staleTime: Infinity,
  });
  const go = (change: Partial<OnboardingSearch>, replace = false) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace });
  if (step === 'brand') {
    return (
      <BrandStep
        chosen={search.brand}
        onChoose={(brand) => go({ brand }, true)}
        onNext={() => go({ step: 'identity' })}
      />
    );
  }
  if (step === 'check' && search.station) {
    return <CheckStep station={search.station} profile={search.profile} />;
  }
  if (overview.isError)
    return <ErrorState error={overview.error} onRetry={() => void overview.refetch()} />;
  if (!overview.data) return <LoadingRows />;
  const { stations_url: plain, stations_tls_url: secure } = overview.data;
  if (step === 'identity') {
    return (
      <IdentityStep
        brand={findBrand(search.brand)}
        search={search}
        hasTls={secure !== ''}
        onChange={(change) => go(change, true)}
        onMade={(change) => go({ ...change, step: 'connect' })}
      />
    );
  }
  return <ConnectStep search={search} plain={plain} secure={secure} go={go} />;
}

function ConnectStep({
  search,
  plain,
  secure,
  go,
}: {
  search: OnboardingSearch;
  plain: string;
  secure: string;
  go: (change: Partial<OnboardingSearch>, replace?: boolean) => void;
}) {
  const { station, way } = search;
  const brand = findBrand(search.brand);
  const base = search.profile !== '1' && secure ? secure : plain;
  const isHere = useStation(station ?? '')?.connected === true;
  useEffect(() => {
    if (isHere && station) go({ step: 'check' }, true);
    // Only its coming moves on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isHere, station]);
  return (
    <>
      <div className="grid items-start gap-3 lg:grid-cols-2">
        <Settings
          key={station ?? way}
          brand={brand}
          base={base}
          station={way === 'key' ? undefined : station}
        />
        <Waiting
          station={way === 'key' ? undefined : station}
          address={addressFor(base, location.hostname, station ?? 'CP-1').text}
          onAdopt={(identity) => go({ step: 'identity', station: identity, way: undefined })}
        />
      </div>
      <div className="flex justify-end">
        <Button onClick={() => go({ step: 'brand' })}>{t('brand.other')}</Button>
      </div>
    </>
  );
}
