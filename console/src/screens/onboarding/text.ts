import { messages } from '@/i18n';

export const t = messages<typeof import('@/i18n/en/onboarding.json')>(
  import.meta.glob('/src/i18n/*/onboarding.json', { eager: true, import: 'default' }),
);
