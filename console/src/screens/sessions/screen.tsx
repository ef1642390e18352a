import { useNavigate } from '@tanstack/react-router';
import { Download, X } from 'lucide-react';
import { IconButton } from '@/ui/button';
import { SearchField } from '@/ui/fields';
import { PageBody, PageHeader } from '@/ui/page';
import { SavedViews } from '@/ui/saved-views';
import { Segments } from '@/ui/segments';
import { tUi } from '@/ui/text';
import { downloadSessions, SessionList } from './list';
import { sessionsRoute, STATES, type SessionsSearch } from './route';
import { t } from './text';

export function Sessions() {
  const search = sessionsRoute.useSearch();
  const navigate = useNavigate({ from: '/sessions' });
  const change = (next: Partial<SessionsSearch>) =>
    void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  return (
    <>
      <PageHeader title={t('title')} />
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <div className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          <div className="flex flex-wrap items-center gap-2 px-4 py-3">
            <SearchField
              label={t('search')}
              value={search.q ?? ''}
              onValue={(q) => change({ q: q || undefined })}
              shortcut="/"
              className="w-72 max-sm:min-w-44 max-sm:flex-1"
            />
            <div className="max-sm:order-1">
              <Segments
                label={t('filter')}
                choices={[undefined, ...STATES].map((state) => ({
                  id: state,
                  label: t(`state.${state ?? 'all'}`),
                }))}
                value={search.state}
                onValue={(state) => change({ state })}
              />
            </div>
            {search.station && (
              <span className="inline-flex h-7 items-center gap-1 rounded-full border border-accent max-sm:order-1 bg-accent-soft pr-1 pl-2.5 text-xs">
                {t('station', { station: search.station })}
                <button
                  type="button"
                  aria-label={t('station.clear')}
                  onClick={() => change({ station: undefined })}
                  className="inline-flex size-6 items-center justify-center rounded-full hover:bg-hover"
                >
                  <X aria-hidden size={13} />
                </button>
              </span>
            )}
            <div className="ml-auto flex items-center gap-2">
              <SavedViews screen="sessions" />
              <IconButton
                icon={Download}
                label={tUi('csv')}
                onClick={() => downloadSessions(search, search.q ?? '')}
              />
            </div>
          </div>
          <div className="flex min-h-0 flex-1 flex-col border-t border-line">
            <SessionList state={search.state} station={search.station} filter={search.q ?? ''} />
          </div>
        </div>
      </PageBody>
    </>
  );
}
