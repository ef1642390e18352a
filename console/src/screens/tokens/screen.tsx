// Who may charge: the tokens, the lists of them that stations keep, and for which stations that is done.
import { lazy, Suspense, useState, type ComponentType } from 'react';
import { useMe, type Right } from '@/api/me';
import { PageBody, PageHeader } from '@/ui/page';
import { LoadingRows } from '@/ui/states';
import { TabLinks } from '@/ui/tabs';
import { TokenList } from './list';
import { tokensRoute } from './route';
import { t } from './text';

interface Part {
  id: string;
  label: string;
  /** Without this right the tab is not there. */
  right?: Right;
  /** `onNote` is told how many rows are shown. */
  component: ComponentType<{ onNote: (note: string) => void }>;
}

const PARTS: Part[] = [
  { id: 'tokens', label: t('title'), right: 'view_tokens', component: TokenList },
  {
    id: 'stations',
    label: t('tab.stations'),
    component: lazy(() =>
      import('@/screens/local-lists/list').then((found) => ({ default: found.LocalLists })),
    ),
  },
  {
    id: 'rules',
    label: t('tab.rules'),
    component: lazy(() =>
      import('@/screens/local-lists/rules').then((found) => ({ default: found.ListRules })),
    ),
  },
];

export function Tokens() {
  const { tab } = tokensRoute.useSearch();
  const me = useMe();
  const [note, setNote] = useState('');
  const parts = PARTS.filter((each) => !each.right || me.permissions.includes(each.right));
  const shown = parts.find((each) => each.id === tab) ?? parts[0];
  if (!shown) return null;
  const Content = shown.component;
  return (
    <>
      <PageHeader title={t('title')}>
        <span className="text-xs text-muted tabular max-sm:hidden" role="status">
          {note}
        </span>
      </PageHeader>
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TabLinks tabs={parts} selected={shown.id} label={t('tabs')} />
          <Suspense fallback={<LoadingRows />}>
            <Content onNote={setNote} />
          </Suspense>
        </div>
      </PageBody>
    </>
  );
}
