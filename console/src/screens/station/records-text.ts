import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/records.json')>(
  import.meta.glob('/src/i18n/*/records.json', { eager: true, import: 'default' }),
);
