// The words of the frame around the screens.
import { messages } from '@/i18n';

export const tApp = messages<typeof import('@/i18n/en/app.json')>(
  import.meta.glob('/src/i18n/*/app.json', { eager: true, import: 'default' }),
);
