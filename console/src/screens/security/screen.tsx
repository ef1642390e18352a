import { PageBody, PageHeader } from '@/ui/page';
import { TabLinks } from '@/ui/tabs';
import { Certificates, Requests } from './certificates';
import { Handshakes } from './handshakes';
import { Relays } from './relays';
import { securityRoute } from './route';
import { t } from './text';
import { Upgrades } from './upgrades';

const TABS = [
  { id: 'certificates', label: t('tab.certificates'), component: Certificates },
  { id: 'requests', label: t('tab.requests'), component: Requests },
  { id: 'upgrades', label: t('tab.upgrades'), component: Upgrades },
  { id: 'relays', label: t('tab.relays'), component: Relays },
  { id: 'handshakes', label: t('tab.handshakes'), component: Handshakes },
];

export function Security() {
  const { tab } = securityRoute.useSearch();
  const shown = TABS.find((each) => each.id === tab) ?? TABS[0];
  if (!shown) return null;
  const Content = shown.component;
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TabLinks tabs={TABS} selected={shown.id} label={t('tabs')} />
          <Content />
        </div>
      </PageBody>
    </>
  );
}
