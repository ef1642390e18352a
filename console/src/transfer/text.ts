import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/transfer.json')>(
  import.meta.glob('/src/i18n/*/transfer.json', { eager: true, import: 'default' }),
);
