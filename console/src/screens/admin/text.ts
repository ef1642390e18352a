import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/admin.json')>(
  import.meta.glob('/src/i18n/*/admin.json', { eager: true, import: 'default' }),
);
