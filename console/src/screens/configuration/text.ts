import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/configuration.json')>(
  import.meta.glob('/src/i18n/*/configuration.json', { eager: true, import: 'default' }),
);
