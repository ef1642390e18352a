import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/security.json')>(
  import.meta.glob('/src/i18n/*/security.json', { eager: true, import: 'default' }),
);
