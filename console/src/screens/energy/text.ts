import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/energy.json')>(
  import.meta.glob('/src/i18n/*/energy.json', { eager: true, import: 'default' }),
);
