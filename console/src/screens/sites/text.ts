import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/sites.json')>(
  import.meta.glob('/src/i18n/*/sites.json', { eager: true, import: 'default' }),
);
