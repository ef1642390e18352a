import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/stations.json')>(
  import.meta.glob('/src/i18n/*/stations.json', { eager: true, import: 'default' }),
);
