import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/charging.json')>(
  import.meta.glob('/src/i18n/*/charging.json', { eager: true, import: 'default' }),
);
