import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/sessions.json')>(
  import.meta.glob('/src/i18n/*/sessions.json', { eager: true, import: 'default' }),
);
