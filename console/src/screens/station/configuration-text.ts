import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/settings.json')>(
  import.meta.glob('/src/i18n/*/settings.json', { eager: true, import: 'default' }),
);
