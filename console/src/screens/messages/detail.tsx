// A call and its answer, whole: as a tree or as it went over the wire.
import { Copy, Wrench, X } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { absolute } from '@/i18n/quantity';
import { Button, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { toast } from '@/ui/toast';
import { rawFrame, repairs, type Exchange, type Frame } from './pairs';
import { t } from './text';

export function ExchangeDetail({ exchange, onClose }: { exchange: Exchange; onClose: () => void }) {
  const [raw, setRaw] = useState(false);
  const found = repairs(exchange);
  const copy = async () => {
    const frames = exchange.answer ? [exchange.call, exchange.answer] : [exchange.call];
    await navigator.clipboard.writeText(frames.map(rawFrame).join('\n'));
    toast('good', t('detail.copied'));
  };
  return (
    <aside
      aria-label={t('detail', { action: exchange.call.action })}
      className="appear flex w-[420px] shrink-0 flex-col border-t border-l border-line bg-surface max-lg:fixed max-lg:inset-x-0 max-lg:bottom-0 max-lg:z-40 max-lg:h-[75dvh] max-lg:w-full max-lg:shadow-overlay"
    >
      <div className="flex h-11 items-center gap-2 border-b border-line px-4">
        <h3 className="min-w-0 flex-1 truncate">{exchange.call.action}</h3>
        <div role="group" className="flex rounded-md border border-line p-0.5">
          {([false, true] as const).map((each) => (
            <button
              key={String(each)}
              type="button"
              aria-pressed={raw === each}
              onClick={() => setRaw(each)}
              className={classes(
                'h-6 rounded px-2 text-xs',
                raw === each ? 'bg-hover font-medium' : 'text-muted',
              )}
            >
              {t(each ? 'detail.raw' : 'detail.tree')}
            </button>
          ))}
        </div>
        <IconButton icon={Copy} label={t('detail.copy')} onClick={() => void copy()} />
        <IconButton icon={X} label={t('detail.close')} onClick={onClose} className="-mr-2" />
      </div>
      <div
        role="region"
        aria-label={t('detail', { action: exchange.call.action })}
        tabIndex={0}
        className="min-h-0 flex-1 overflow-auto p-4 focus-visible:-outline-offset-2"
      >
        {found.length > 0 && (
          <div className="mb-4 rounded-md bg-warning-soft px-3 py-2 text-warning">
            <p className="flex items-center gap-1.5 font-medium">
              <Wrench aria-hidden size={13} /> {t('detail.repairs')}
            </p>
            <ul className="mt-1 list-inside list-disc font-mono text-xs">
              {found.map((repair) => (
                <li key={repair}>{repair}</li>
              ))}
            </ul>
          </div>
        )}
        <FrameView title={t('detail.call')} frame={exchange.call} raw={raw} />
        {exchange.answer ? (
          <FrameView title={t('detail.answer')} frame={exchange.answer} raw={raw} />
        ) : (
          <p className="text-warning">{t('answer.none')}</p>
        )}
        <p className="mt-4 text-xs break-all text-muted">
          {t('detail.id')}: <code className="font-mono select-all">{exchange.call.message_id}</code>
        </p>
      </div>
      <div className="border-t border-line p-2 lg:hidden">
        <Button onClick={onClose} className="w-full">
          {t('detail.close')}
        </Button>
      </div>
    </aside>
  );
}

function FrameView({ title, frame, raw }: { title: string; frame: Frame; raw: boolean }) {
  return (
    <section className="mb-4">
      <h4 className="mb-1 flex items-baseline gap-2 text-xs font-medium text-muted">
        {title}
        <span className="font-normal">
          {t(frame.direction === 'in' ? 'direction.in' : 'direction.out')}
        </span>
        <time dateTime={frame.at} className="ml-auto font-normal tabular">
          {absolute(frame.at)}
        </time>
      </h4>
      {raw ? (
        <pre className="rounded-md bg-sunken p-3 font-mono text-xs leading-[18px] break-all whitespace-pre-wrap select-text">
          {rawFrame(frame)}
        </pre>
      ) : (
        <div className="rounded-md bg-sunken p-3 font-mono text-xs leading-[18px]">
          <JsonTree value={frame.payload} />
        </div>
      )}
    </section>
  );
}

/** JSON as a tree; what is large can be folded. */
export function JsonTree({ value, name }: { value: unknown; name?: string }): ReactNode {
  const label = name === undefined ? null : <span className="text-accent">{name}: </span>;
  if (value === null || typeof value !== 'object') {
    return (
      <div className="break-words">
        {label}
        <span className={typeof value === 'string' ? 'text-good' : 'text-text'}>
          {typeof value === 'string' ? value : JSON.stringify(value)}
        </span>
      </div>
    );
  }
  const entries = Array.isArray(value)
    ? (value as unknown[]).map((each, index) => [String(index), each] as const)
    : Object.entries(value as Record<string, unknown>);
  if (entries.length === 0) {
    return (
      <div>
        {label}
        <span className="text-muted">{Array.isArray(value) ? '[ ]' : '{ }'}</span>
      </div>
    );
  }
  const inside = entries.map(([key, each]) => <JsonTree key={key} name={key} value={each} />);
  if (name === undefined) return inside;
  return (
    <details open={entries.length <= 20}>
      <summary className="cursor-pointer rounded hover:bg-hover">
        {label}
        <span className="text-muted">
          {Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}
        </span>
      </summary>
      <div className="border-l border-line pl-4">{inside}</div>
    </details>
  );
}
