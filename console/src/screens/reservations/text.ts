import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/reservations.json')>(
  import.meta.glob('/src/i18n/*/reservations.json', { eager: true, import: 'default' }),
);
