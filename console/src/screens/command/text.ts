import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/command.json')>(
  import.meta.glob('/src/i18n/*/command.json', { eager: true, import: 'default' }),
);
