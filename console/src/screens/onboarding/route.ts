import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { rootRoute } from '@/app/root-route';
import { oneOf, text, type Raw } from '@/app/search';

export const STEPS = ['brand', 'identity', 'connect', 'check'] as const;
export type Step = (typeof STEPS)[number];
export const PROFILES = ['1', '2', '3'] as const;
export type Profile = (typeof PROFILES)[number];

export interface OnboardingSearch {
  step?: Step | undefined;
  brand?: string | undefined;
  /** How it introduces itself; a station of its own when left out. */
  way?: 'key' | undefined;
  /** The identity, once there is one. */
  station?: string | undefined;
  profile?: Profile | undefined;
}

export const onboardingRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/onboarding',
  validateSearch: (raw: Raw): OnboardingSearch => ({
    step: oneOf(raw, 'step', STEPS),
    brand: text(raw, 'brand'),
    way: oneOf(raw, 'way', ['key']),
    station: text(raw, 'station'),
    profile: oneOf({ profile: text(raw, 'profile') }, 'profile', PROFILES),
  }),
  component: lazyRouteComponent(() => import('./screen'), 'Onboarding'),
});

/** The step of an address; one that lacks what a step needs goes back to where that is asked. */
export function stepOf({ step, brand, way, station }: OnboardingSearch): Step {
  if (step === 'check' && station) return 'check';
  if (step === 'connect' && (station ?? way)) return 'connect';
  if (step === 'identity' || step === 'connect') return brand ? 'identity' : 'brand';
  return 'brand';
}
