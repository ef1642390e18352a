// What the next person should know about a station.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { StickyNote, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { Button, IconButton } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, TextArea } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { Ago } from '@/ui/live';
import { EmptyState, ErrorState, LoadingRows } from '@/ui/states';
import { toast } from '@/ui/toast';
import { t } from './records-text';

type Note = Schemas['Note'];

export function StationNotes({ stationId }: { stationId: string }) {
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [doomed, setDoomed] = useState<Note | null>(null);
  const key = ['notes', stationId];
  const query = useQuery({
    queryKey: key,
    queryFn: () =>
      data(
        api.GET('/api/v1/stations/{station_id}/notes', {
          params: { path: { station_id: stationId }, query: { limit: 500 } },
        }),
      ),
  });
  const act = async (work: () => Promise<unknown>) => {
    setBusy(true);
    try {
      await work();
      await queries.invalidateQueries({ queryKey: key });
    } catch (fault) {
      toast('bad', t('refused'), faultText(fault));
    }
    setBusy(false);
  };
  const add = () =>
    act(async () => {
      await api.POST('/api/v1/stations/{station_id}/notes', {
        params: { path: { station_id: stationId } },
        body: { text: text.trim() },
      });
      setText('');
    });
  const remove = (note: Note) =>
    act(async () => {
      await api.DELETE('/api/v1/stations/{station_id}/notes/{note_id}', {
        params: { path: { station_id: stationId, note_id: note.id } },
      });
      setDoomed(null);
    });
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div
      role="region"
      aria-label={t('tab.notes')}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto px-4 py-3 focus-visible:-outline-offset-2"
    >
      <form
        className="no-print flex max-w-3xl flex-col gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) void add();
        }}
      >
        <Field label={t('note.new')} hint={t('note.hint')}>
          <TextArea
            className="!min-h-16"
            maxLength={4000}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        <Button
          type="submit"
          look="primary"
          className="self-end"
          busy={busy}
          disabled={busy || !text.trim()}
        >
          {t('note.add')}
        </Button>
      </form>
      {query.isPending ? (
        <LoadingRows rows={3} />
      ) : query.data.items.length === 0 ? (
        <div className="max-w-3xl">
          <EmptyState icon={StickyNote} title={t('notes.none')}>
            {t('notes.none.hint')}
          </EmptyState>
        </div>
      ) : (
        <ul className="mt-2 max-w-3xl">
          {query.data.items.map((note) => (
            <li key={note.id} className="flex gap-3 border-b border-line py-2.5 last:border-0">
              <div className="min-w-0 flex-1">
                <p className="text-xs text-muted">
                  {note.created_by} · <Ago at={note.created_at} />
                </p>
                <p className="break-words whitespace-pre-wrap">{note.text}</p>
              </div>
              <IconButton
                icon={Trash2}
                label={t('note.remove.of', { who: note.created_by })}
                className="no-print !size-7"
                onClick={() => setDoomed(note)}
              />
            </li>
          ))}
        </ul>
      )}
      {doomed && (
        <ConfirmDialog
          open
          destructive
          onOpenChange={(open) => !open && setDoomed(null)}
          title={t('note.remove')}
          action={t('remove')}
          consequence={t('note.remove.consequence')}
          onConfirm={() => void remove(doomed)}
        />
      )}
    </div>
  );
}
