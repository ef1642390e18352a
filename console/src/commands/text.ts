import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/commands.json')>(
  import.meta.glob('/src/i18n/*/commands.json', { eager: true, import: 'default' }),
);
