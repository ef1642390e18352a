import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/messages.json')>(
  import.meta.glob('/src/i18n/*/messages.json', { eager: true, import: 'default' }),
);
