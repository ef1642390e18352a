import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/tasks.json')>(
  import.meta.glob('/src/i18n/*/tasks.json', { eager: true, import: 'default' }),
);
