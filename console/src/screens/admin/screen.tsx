import type { ComponentType } from 'react';
import { useMe, type Right } from '@/api/me';
import { PageBody, PageHeader } from '@/ui/page';
import { TabLinks } from '@/ui/tabs';
import { Account } from './account';
import { Audit } from './audit';
import { HealthReport } from './health-report';
import { ApiKeys, EnrolmentKeys } from './keys';
import { People } from './people';
import { adminRoute } from './route';
import { System } from './system';
import { t } from './text';
import { Webhooks } from './webhooks';

const TABS: { id: string; label: string; right?: Right; component: ComponentType }[] = [
  { id: 'account', label: t('tab.account'), component: Account },
  { id: 'people', label: t('tab.people'), right: 'manage_people', component: People },
  { id: 'keys', label: t('tab.keys'), right: 'manage_people', component: ApiKeys },
  {
    id: 'enrolment',
    label: t('tab.enrolment'),
    right: 'manage_onboarding',
    component: EnrolmentKeys,
  },
  { id: 'webhooks', label: t('tab.webhooks'), right: 'manage_webhooks', component: Webhooks },
  { id: 'audit', label: t('tab.audit'), right: 'view_audit', component: Audit },
  { id: 'report', label: t('tab.report'), component: HealthReport },
  { id: 'system', label: t('tab.system'), component: System },
];

export function Administration() {
  const { tab } = adminRoute.useSearch();
  const me = useMe();
  const tabs = TABS.filter((each) => !each.right || me.permissions.includes(each.right));
  const shown = tabs.find((each) => each.id === tab) ?? tabs[0];
  if (!shown) return null;
  const Content = shown.component;
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TabLinks tabs={tabs} selected={shown.id} label={t('tabs')} />
          <Content />
        </div>
      </PageBody>
    </>
  );
}
