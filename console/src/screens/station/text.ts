import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/station.json')>(
  import.meta.glob('/src/i18n/*/station.json', { eager: true, import: 'default' }),
);
