import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/tokens.json')>(
  import.meta.glob('/src/i18n/*/tokens.json', { eager: true, import: 'default' }),
);
