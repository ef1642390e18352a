import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/overview.json')>(
  import.meta.glob('/src/i18n/*/overview.json', { eager: true, import: 'default' }),
);
