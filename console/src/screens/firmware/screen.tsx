import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Rocket, SlidersHorizontal } from 'lucide-react';
import { useCallback } from 'react';
import { useMay } from '@/api/me';
import { TaskList } from '@/screens/tasks/list';
import type { Task } from '@/screens/tasks/parts';
import { Button } from '@/ui/button';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { TabLinks } from '@/ui/tabs';
import { Images } from './image-list';
import { imageName, imagesQuery } from '@/api/firmware';
import { firmwareRoute } from './route';
import { t } from './text';
import { Versions } from './versions';

const TABS = [
  { id: 'versions', label: t('tab.versions'), component: Versions },
  { id: 'images', label: t('tab.images'), component: Images },
  { id: 'campaigns', label: t('tab.campaigns'), component: Campaigns },
];

export function Firmware() {
  const { tab } = firmwareRoute.useSearch();
  const mayConfigure = useMay('view_messages');
  const shown = TABS.find((each) => each.id === tab) ?? TABS[0];
  if (!shown) return null;
  const Content = shown.component;
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TabLinks
            tabs={TABS}
            selected={shown.id}
            label={t('tabs')}
            actions={
              mayConfigure && (
                <Link
                  to="/configuration"
                  className="inline-flex min-h-6 items-center gap-1.5 text-accent hover:underline max-sm:hidden"
                >
                  <SlidersHorizontal aria-hidden size={14} />
                  {t('drift')}
                </Link>
              )
            }
          />
          <Content />
        </div>
      </PageBody>
    </>
  );
}

function Campaigns() {
  const may = useMay('call_stations');
  const navigate = useNavigate();
  const images = useQuery(imagesQuery);
  const known = images.data?.items;
  const describe = useCallback(
    (task: Task) => {
      const id = task.parameters['image_id'];
      const image = known?.find((each) => each.id === id);
      const place = task.parameters['location'];
      return {
        title: image ? imageName(image) : typeof place === 'string' ? place : t('campaign.gone'),
        note: task.note,
      };
    },
    [known],
  );
  const begin = () => void navigate({ to: '/firmware', search: { tab: 'images' } });
  return (
    <TaskList
      command="update_firmware"
      describe={describe}
      actions={
        may && (
          <Button look="primary" icon={Rocket} onClick={begin}>
            {t('campaign')}
          </Button>
        )
      }
      empty={
        <EmptyState
          icon={Rocket}
          title={t('campaigns.none')}
          action={may && <Button onClick={begin}>{t('campaigns.begin')}</Button>}
        >
          {t('campaigns.none.hint')}
        </EmptyState>
      }
    />
  );
}
