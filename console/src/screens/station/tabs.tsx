// The tabs of a station, in their order. Another one is a line here and a file beside this one.
import type { ComponentType } from 'react';
import type { Right } from '@/api/me';
import { t as tFirmware } from '@/screens/firmware/text';
import { t as tLists } from '@/screens/local-lists/text';
import { StationCertificates } from './certificates';
import { StationCharging } from './charging';
import { t as tCharging } from './charging-text';
import { StationConfiguration } from './configuration';
import { t as tSettings } from './configuration-text';
import { StationDetails } from './details';
import { StationFirmware } from './firmware';
import { StationLocalList } from './local-list';
import { StationLogs } from './logs';
import { StationMessages } from './messages';
import { StationNotes } from './notes';
import { t as tRecords } from './records-text';
import { StationSessions } from './sessions';
import { t } from './text';
import { StationTimeLine } from './time-line';

export interface StationTab {
  id: string;
  label: string;
  /** Without this right the tab is not there. */
  right?: Right;
  component: ComponentType<{ stationId: string }>;
}

export const TABS: StationTab[] = [
  { id: 'messages', label: t('tab.messages'), right: 'view_messages', component: StationMessages },
  { id: 'sessions', label: t('tab.sessions'), component: StationSessions },
  { id: 'charging', label: tCharging('title'), component: StationCharging },
  { id: 'events', label: tRecords('tab.events'), component: StationTimeLine },
  {
    id: 'configuration',
    label: tSettings('tab'),
    right: 'view_messages',
    component: StationConfiguration,
  },
  { id: 'local-list', label: tLists('tab'), component: StationLocalList },
  { id: 'firmware', label: tFirmware('tab'), component: StationFirmware },
  { id: 'logs', label: tRecords('tab.logs'), right: 'view_messages', component: StationLogs },
  { id: 'certificates', label: tRecords('tab.certificates'), component: StationCertificates },
  { id: 'notes', label: tRecords('tab.notes'), right: 'keep_notes', component: StationNotes },
  { id: 'details', label: t('tab.details'), component: StationDetails },
];
