import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/map.json')>(
  import.meta.glob('/src/i18n/*/map.json', { eager: true, import: 'default' }),
);
