// What commands and their parameters are called, and what kind of thing a command is.
import { messages } from '@/i18n';
import { spoken } from './schema';

type Catalogue = typeof import('@/i18n/en/names.json');

const say = messages<Catalogue>(
  import.meta.glob('/src/i18n/*/names.json', { eager: true, import: 'default' }),
);

/** The name of a parameter; of OCPP fields as they are written there. */
export function label(field: string): string {
  const key = `field.${field}`;
  const said = say(key as keyof Catalogue);
  return said === key ? spoken(field) : said;
}

/** The name of a command. */
export function commandName(command: string): string {
  const key = `command.${command}`;
  const said = say(key as keyof Catalogue);
  return said === key ? spoken(command) : said;
}

export const groupName = (group: keyof typeof GROUPS): string => say(`group.${group}`);

/** Commands by what they are for, in the order of a list. */
export const GROUPS = {
  charging: ['start_charging', 'stop_charging', 'unlock', 'reserve', 'cancel_reservation'],
  operation: ['reset', 'set_availability', 'trigger', 'get_transaction_status'],
  limits: [
    'set_limit',
    'clear_limit',
    'get_composite_schedule',
    'set_charging_profile',
    'get_charging_profiles',
    'clear_charging_profiles',
  ],
  settings: [
    'read_settings',
    'write_settings',
    'repair_settings',
    'get_base_report',
    'get_variables',
    'set_variables',
    'get_configuration',
    'set_configuration',
  ],
  firmware: ['update_firmware', 'get_logs'],
  tokens: ['clear_cache', 'send_local_list', 'get_local_list_version'],
  display: [
    'set_display_message',
    'get_display_messages',
    'clear_display_message',
    'update_cost',
    'customer_information',
  ],
  certificates: [
    'list_certificates',
    'install_certificate',
    'delete_certificate',
    'send_certificate',
    'set_network_profile',
  ],
  other: ['data_transfer'],
} as const;

const ONLY_16 = new Set(['get_configuration', 'set_configuration']);
const ONLY_2 = new Set([
  'get_variables',
  'set_variables',
  'get_base_report',
  'get_charging_profiles',
  'update_cost',
  'set_display_message',
  'get_display_messages',
  'clear_display_message',
  'customer_information',
  'get_transaction_status',
  'set_network_profile',
]);

/** Tell whether a command cannot be said in a version of OCPP: such a station refuses it. */
export function isForeign(command: string, version: string | null): 'only16' | 'only2' | null {
  if (version === null) return null;
  if (ONLY_16.has(command) && version !== '1.6') return 'only16';
  if (ONLY_2.has(command) && version === '1.6') return 'only2';
  return null;
}
