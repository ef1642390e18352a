// What follows from a command, in words, before it is given.
import type { Content } from '@/commands/schema';
import type { LiveStation } from '@/live/types';
import { t } from './text';

const SETTINGS = new Set([
  'write_settings',
  'repair_settings',
  'set_variables',
  'set_configuration',
]);
const LIMITS = new Set([
  'set_limit',
  'clear_limit',
  'set_charging_profile',
  'clear_charging_profiles',
]);
const TRUST = new Set([
  'install_certificate',
  'delete_certificate',
  'send_certificate',
  'set_network_profile',
]);
const HARSH = new Set([
  'stop_charging',
  'reset',
  'update_firmware',
  'delete_certificate',
  'set_network_profile',
]);

/** Tell whether the confirming button warns. */
export function isHarsh(command: string, given: Content): boolean {
  return HARSH.has(command) || (command === 'set_availability' && given['available'] === false);
}

/** Say what a command does to these stations. */
export function consequence(command: string, given: Content, stations: LiveStation[]): string {
  const count = stations.reduce(
    (sum, station) => sum + station.evses.filter((evse) => evse.session_id).length,
    0,
  );
  if (command === 'start_charging') return t('q.start');
  if (command === 'stop_charging') return t('q.ends', { count });
  if (command === 'reset')
    return given['mode'] === 'on_idle' ? t('q.idle') : `${t('q.reset')} ${t('q.ends', { count })}`;
  if (command === 'unlock') return t('q.unlock');
  if (command === 'set_availability') return t(given['available'] === true ? 'q.in' : 'q.out');
  if (command === 'update_firmware') return t('q.firmware');
  if (SETTINGS.has(command)) return t('q.settings');
  if (LIMITS.has(command)) return t('q.limit', { count });
  if (TRUST.has(command)) return t('q.certificate');
  if (/^(get|list|read)_|^trigger$/.test(command)) return t('q.ask');
  return t('q.other');
}
