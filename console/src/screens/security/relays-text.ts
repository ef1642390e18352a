import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/relays.json')>(
  import.meta.glob('/src/i18n/*/relays.json', { eager: true, import: 'default' }),
);
