import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/local-lists.json')>(
  import.meta.glob('/src/i18n/*/local-lists.json', { eager: true, import: 'default' }),
);
