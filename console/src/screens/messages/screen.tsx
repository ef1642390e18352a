import { useNavigate } from '@tanstack/react-router';
import { MessageSquareText } from 'lucide-react';
import { useId, useMemo, useState } from 'react';
import { useMay } from '@/api/me';
import { useStation, useStations } from '@/live/hooks';
import { Input } from '@/ui/fields';
import { PageBody, PageHeader } from '@/ui/page';
import { EmptyState, ErrorState } from '@/ui/states';
import { Problem } from '@/api/client';
import { messagesRoute } from './route';
import { MessageTail } from './tail';
import { t } from './text';

export function Messages() {
  const { station, q } = messagesRoute.useSearch();
  const navigate = useNavigate({ from: '/messages' });
  const may = useMay('view_messages');
  const choose = (id: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, station: id }), replace: true });
  return (
    <>
      <PageHeader title={t('title')}>
        {may && <StationPicker key={station ?? ''} value={station} onValue={choose} />}
      </PageHeader>
      <PageBody fill className="max-lg:h-[calc(100dvh-52px)]">
        <section className="panel flex min-h-96 flex-1 flex-col overflow-hidden">
          {!may ? (
            <ErrorState error={new Problem(403, 'forbidden', '', '', [])} />
          ) : station ? (
            <MessageTail
              key={station}
              stationId={station}
              filter={q ?? ''}
              onFilter={(next) =>
                void navigate({
                  search: (before) => ({ ...before, q: next || undefined }),
                  replace: true,
                })
              }
            />
          ) : (
            <Suggestions onChoose={choose} />
          )}
        </section>
      </PageBody>
    </>
  );
}

function StationPicker({
  value,
  onValue,
}: {
  value: string | undefined;
  onValue: (id: string | undefined) => void;
}) {
  const list = useId();
  const [text, setText] = useState(value ?? '');
  const stations = useStations(10_000);
  const found = useMemo(() => {
    const wanted = text.toLowerCase();
    return stations
      .filter((each) => `${each.id} ${each.name}`.toLowerCase().includes(wanted))
      .slice(0, 50);
  }, [stations, text]);
  const known = useStation(value ?? '');
  return (
    <>
      <Input
        aria-label={t('station')}
        list={list}
        value={text}
        placeholder={t('station.placeholder')}
        className="!w-56 min-w-0 max-sm:!w-full"
        onChange={(event) => {
          const wanted = event.target.value;
          setText(wanted);
          if (stations.some((each) => each.id === wanted)) onValue(wanted);
          else if (!wanted) onValue(undefined);
        }}
      />
      <datalist id={list}>
        {found.map((each) => (
          <option key={each.id} value={each.id}>
            {each.name}
          </option>
        ))}
      </datalist>
      <span className="truncate text-muted max-md:hidden">{known?.name}</span>
    </>
  );
}

/** The stations that are charging are the likeliest ones. */
function Suggestions({ onChoose }: { onChoose: (id: string) => void }) {
  const stations = useStations(5000);
  const likely = useMemo(
    () =>
      stations
        .filter((each) => each.connected)
        .sort((a, b) => b.power_w - a.power_w)
        .slice(0, 8),
    [stations],
  );
  return (
    <EmptyState icon={MessageSquareText} title={t('choose')}>
      <p>{t('choose.hint')}</p>
      <ul className="mt-4 flex flex-wrap justify-center gap-2">
        {likely.map((each) => (
          <li key={each.id}>
            <button
              type="button"
              onClick={() => onChoose(each.id)}
              className="h-8 rounded-md border border-line px-3 text-text hover:bg-hover"
            >
              {each.name || each.id}
            </button>
          </li>
        ))}
      </ul>
    </EmptyState>
  );
}
