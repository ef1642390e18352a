// The tabs of a site, in their order. Another one (energy, prices) is a line here and a file beside this one.
import type { ComponentType } from 'react';
import type { Right } from '@/api/me';
import { t } from '@/screens/sites/text';
import { SiteAbout } from './about';
import { SiteStations } from './stations';

export interface SiteTab {
  id: string;
  label: string;
  /** Without this right the tab is not there. */
  right?: Right;
  component: ComponentType<{ siteId: string }>;
}

export const TABS: SiteTab[] = [
  { id: 'stations', label: t('tab.stations'), component: SiteStations },
  { id: 'about', label: t('tab.about'), component: SiteAbout },
];
