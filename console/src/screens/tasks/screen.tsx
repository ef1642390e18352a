import { useNavigate } from '@tanstack/react-router';
import { ListChecks, Plus } from 'lucide-react';
import { useMay } from '@/api/me';
import { Button } from '@/ui/button';
import { Select } from '@/ui/fields';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState } from '@/ui/states';
import { TaskList } from './list';
import { TASK_STATES, tasksRoute } from './route';
import { t } from './text';

export function Tasks() {
  const { state } = tasksRoute.useSearch();
  const navigate = useNavigate({ from: '/tasks' });
  const may = useMay('call_stations');
  const begin = () => void navigate({ to: '/tasks/new' });
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <TaskList
            state={state}
            tools={
              <Select
                aria-label={t('state.label')}
                value={state ?? ''}
                onChange={(event) =>
                  void navigate({
                    search: { state: TASK_STATES.find((each) => each === event.target.value) },
                    replace: true,
                  })
                }
                className="!w-44"
              >
                <option value="">{t('state.any')}</option>
                {TASK_STATES.map((each) => (
                  <option key={each} value={each}>
                    {t(`state.${each}`)}
                  </option>
                ))}
              </Select>
            }
            actions={
              may && (
                <Button look="primary" icon={Plus} onClick={begin}>
                  {t('new')}
                </Button>
              )
            }
            empty={
              state ? (
                <EmptyState
                  icon={ListChecks}
                  title={t('none')}
                  action={
                    <Button onClick={() => void navigate({ search: {} })}>{t('none.clear')}</Button>
                  }
                />
              ) : (
                <EmptyState
                  icon={ListChecks}
                  title={t('empty')}
                  action={may && <Button onClick={begin}>{t('new')}</Button>}
                >
                  {t('empty.hint')}
                </EmptyState>
              )
            }
          />
        </div>
      </PageBody>
    </>
  );
}
