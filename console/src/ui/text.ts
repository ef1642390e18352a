// The words of the shared components.
import { messages } from '@/i18n';

export const tUi = messages<typeof import('@/i18n/en/ui.json')>(
  import.meta.glob('/src/i18n/*/ui.json', { eager: true, import: 'default' }),
);
