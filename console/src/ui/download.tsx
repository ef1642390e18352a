// Saves all that fits a filter as a file, page by page: a notice counts, offers to cancel, and tells what became of it.
import { number } from '@/i18n/quantity';
import { Button } from './button';
import { fileName, saveFile } from './csv';
import { Gathering, MOST_ROWS, type Gathered, type Source } from './gather';
import { tUi } from './text';
import { toast } from './toast';

const TYPES = { csv: 'text/csv;charset=utf-8', jsonl: 'application/jsonl' };
/** What is there by then needs no notice. */
const PATIENCE_MS = 400;

const running = new Set<string>();

/** Save everything that a source gives as `name`; while that goes on the same name is not begun again. */
export function download<Item>(
  name: string,
  source: Source<Item>,
  ending: keyof typeof TYPES = 'csv',
): void {
  void follow(name, ending, new Gathering(source));
}

async function follow<Item>(
  name: string,
  ending: keyof typeof TYPES,
  gathering: Gathering<Item>,
): Promise<void> {
  const file = fileName(name, ending);
  if (running.has(file)) return;
  running.add(file);
  const abort = new AbortController();
  let notice: ReturnType<typeof toast> | undefined;
  const tell = (now: Gathered) => {
    const detail = <Progress now={now} onCancel={() => abort.abort()} />;
    const title = tUi('download.busy', { file });
    if (notice) notice('busy', title, detail);
    else notice = toast('busy', title, detail);
  };
  const patience = setTimeout(() => tell(gathering), PATIENCE_MS);
  try {
    const all = await gathering.run(abort.signal, (now) => notice && tell(now));
    const saved = all.more ? fileName(`${name}-first-${MOST_ROWS}`, ending) : file;
    saveFile(saved, gathering.content(), TYPES[ending]);
    if (all.more) {
      const most = number(MOST_ROWS);
      toast('warning', tUi('download.most', { most }), tUi('download.most.hint', { file: saved }));
    } else if (notice) {
      toast('good', tUi('download.done', { file }), tUi('download.rows', { count: all.kept }));
    }
  } catch (fault) {
    if (!abort.signal.aborted)
      tellFailed(file, gathering, fault, () => follow(name, ending, gathering));
  } finally {
    clearTimeout(patience);
    notice?.close();
    running.delete(file);
  }
}

function tellFailed(file: string, now: Gathered, fault: unknown, goOn: () => Promise<void>): void {
  const failed = toast(
    'bad',
    tUi('download.failed', { file }),
    <>
      <p>
        {tUi('download.failed.after', {
          count: now.read,
          reason: fault instanceof Error ? fault.message : String(fault),
        })}
      </p>
      <Button
        small
        className="my-1"
        onClick={() => {
          failed.close();
          void goOn();
        }}
      >
        {tUi('state.retry')}
      </Button>
    </>,
  );
}

function Progress({ now, onCancel }: { now: Gathered; onCancel: () => void }) {
  return (
    <div className="flex items-center justify-between gap-3">
      <span className="tabular">
        {now.kept === now.read
          ? tUi('download.rows', { count: now.kept })
          : tUi('download.found', { count: now.kept, read: now.read })}
      </span>
      <Button small onClick={onCancel}>
        {tUi('cancel')}
      </Button>
    </div>
  );
}
