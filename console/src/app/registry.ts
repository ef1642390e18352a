// The one list of screens: a route, and a place in the navigation. See README.md, "Add a screen".
import {
  Activity,
  Building2,
  Gauge,
  CalendarClock,
  HardDriveDownload,
  LayoutGrid,
  ListChecks,
  Map as MapIcon,
  Nfc,
  MessageSquareText,
  PlugZap,
  Settings2,
  ShieldCheck,
  SlidersHorizontal,
  type LucideIcon,
} from 'lucide-react';
import type { Right } from '@/api/me';
import { adminRoute } from '@/screens/admin/route';
import { commandRoute } from '@/screens/command/route';
import { configurationRoute } from '@/screens/configuration/route';
import { energyRoute, siteEnergyRoute } from '@/screens/energy/route';
import { firmwareRoute } from '@/screens/firmware/route';
import { mapRoute } from '@/screens/map/route';
import { messagesRoute } from '@/screens/messages/route';
import { onboardingRoute } from '@/screens/onboarding/route';
import { overviewRoute } from '@/screens/overview/route';
import { reservationsRoute } from '@/screens/reservations/route';
import { securityRoute } from '@/screens/security/route';
import { sessionRoute } from '@/screens/session/route';
import { sessionsRoute } from '@/screens/sessions/route';
import { siteRoute } from '@/screens/site/route';
import { sitesRoute } from '@/screens/sites/route';
import { stationRoute } from '@/screens/station/route';
import { stationsRoute } from '@/screens/stations/route';
import { taskRoute } from '@/screens/task/route';
import { tasksRoute } from '@/screens/tasks/route';
import { tokensRoute } from '@/screens/tokens/route';
import { tApp } from './text';

/** Every screen's route. */
export const routes = [
  overviewRoute,
  stationsRoute,
  onboardingRoute,
  stationRoute,
  sessionsRoute,
  sessionRoute,
  messagesRoute,
  sitesRoute,
  siteRoute,
  tasksRoute,
  commandRoute,
  taskRoute,
  energyRoute,
  siteEnergyRoute,
  firmwareRoute,
  configurationRoute,
  securityRoute,
  mapRoute,
  reservationsRoute,
  tokensRoute,
  adminRoute,
] as const;

export interface NavEntry {
  to: string;
  label: string;
  icon: LucideIcon;
  group: 'operate' | 'business' | 'system';
  /** Without this right there is no entry. */
  right?: Right;
  /** `g` and then this letter go there. */
  key?: string;
  /** A word for it where there is little room. */
  short?: string;
  /** Among the four at the foot of a phone. */
  onPhone?: boolean;
}

/** The navigation, in its order. A screen has its place here once it works. */
export const navigation: NavEntry[] = [
  {
    to: '/',
    label: tApp('nav.overview'),
    icon: LayoutGrid,
    group: 'operate',
    key: 'o',
    onPhone: true,
  },
  {
    to: '/stations',
    label: tApp('nav.stations'),
    short: tApp('nav.stations.short'),
    icon: PlugZap,
    group: 'operate',
    key: 's',
    onPhone: true,
  },
  {
    to: '/sessions',
    label: tApp('nav.sessions'),
    short: tApp('nav.sessions.short'),
    icon: Activity,
    group: 'operate',
    key: 'c',
    onPhone: true,
  },
  {
    to: '/energy',
    label: tApp('nav.energy'),
    icon: Gauge,
    group: 'operate',
    key: 'e',
  },
  {
    to: '/messages',
    label: tApp('nav.messages'),
    short: tApp('nav.messages.short'),
    icon: MessageSquareText,
    group: 'operate',
    right: 'view_messages',
    key: 'm',
    onPhone: true,
  },
  { to: '/sites', label: tApp('nav.sites'), icon: Building2, group: 'operate', key: 'l' },
  { to: '/map', label: tApp('nav.map'), icon: MapIcon, group: 'operate', key: 'a' },
  {
    to: '/reservations',
    label: tApp('nav.reservations'),
    icon: CalendarClock,
    group: 'operate',
    key: 'r',
  },
  {
    to: '/tasks',
    label: tApp('nav.tasks'),
    icon: ListChecks,
    group: 'operate',
    key: 't',
  },
  {
    to: '/tokens',
    label: tApp('nav.tokens'),
    icon: Nfc,
    group: 'business',
    key: 'd',
  },
  {
    to: '/firmware',
    label: tApp('nav.firmware'),
    icon: HardDriveDownload,
    group: 'system',
    key: 'f',
  },
  {
    to: '/configuration',
    label: tApp('nav.configuration'),
    icon: SlidersHorizontal,
    group: 'system',
    right: 'view_messages',
    key: 'k',
  },
  {
    to: '/security',
    label: tApp('nav.security'),
    icon: ShieldCheck,
    group: 'system',
    right: 'view_messages',
    key: 'y',
  },
  {
    to: '/administration',
    label: tApp('nav.administration'),
    icon: Settings2,
    group: 'system',
    key: 'x',
  },
];
