import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/firmware.json')>(
  import.meta.glob('/src/i18n/*/firmware.json', { eager: true, import: 'default' }),
);
