// What of a station is not as it should be: settings that differ from its templates, a restart that is due.
import { useNavigate } from '@tanstack/react-router';
import { CircleAlert, RotateCcw, Wrench } from 'lucide-react';
import { useState } from 'react';
import { api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { giveCommand } from '@/commands/give';
import { Button } from '@/ui/button';
import { ConfirmDialog } from '@/ui/dialog';
import { Checkbox } from '@/ui/fields';
import { faultText } from '@/ui/form';
import { toast } from '@/ui/toast';
import { t } from './configuration-text';

export function DriftNotice({
  stationId,
  drift,
}: {
  stationId: string;
  drift: Schemas['DriftingSetting'][];
}) {
  const may = useMay('call_stations');
  const navigate = useNavigate();
  const [asked, setAsked] = useState(false);
  const [restart, setRestart] = useState(false);
  const repairable = drift.filter((each) => each.state === 'different').length;
  const repair = async () => {
    try {
      const made = await data(
        api.POST('/api/v1/drift/repair', {
          body: { stations: [stationId], reset: restart ? 'on_idle' : 'never' } as never,
        }),
      );
      void navigate({ to: '/tasks/$taskId', params: { taskId: made.task_id } });
    } catch (fault) {
      toast('bad', t('refused'), faultText(fault));
      setAsked(false);
    }
  };
  return (
    <details
      className="group border-t border-line bg-warning-soft px-4 py-2"
      open={drift.length < 4}
    >
      <summary className="flex min-h-7 cursor-pointer flex-wrap items-center gap-2 text-warning">
        <CircleAlert aria-hidden size={15} />
        <span className="font-medium">{t('drift', { count: drift.length })}</span>
        {may && repairable > 0 && (
          <Button
            small
            icon={Wrench}
            className="ml-auto"
            onClick={(event) => {
              event.preventDefault();
              setAsked(true);
            }}
          >
            {t('repair')}
          </Button>
        )}
      </summary>
      <ul className="max-h-40 overflow-y-auto">
        {drift.map((each) => (
          <li
            key={`${each.name} ${each.attribute}`}
            className="flex flex-wrap items-baseline gap-x-3 py-0.5"
          >
            <span className="font-medium">{each.name}</span>
            <span className="font-mono text-xs">
              {each.actual ?? '–'} → {each.wanted}
            </span>
            {each.state !== 'different' && (
              <span className="text-xs text-muted">{t(`state.${each.state}`)}</span>
            )}
            {each.outcome && (
              <span className="text-xs text-muted">
                {t('drift.tried', { outcome: each.outcome })}
              </span>
            )}
          </li>
        ))}
      </ul>
      {asked && (
        <ConfirmDialog
          open
          onOpenChange={setAsked}
          title={t('repair.title', { station: stationId })}
          action={t('repair')}
          consequence={t('repair.consequence', { count: repairable })}
          onConfirm={() => void repair()}
        >
          <Checkbox
            label={t('restart')}
            checked={restart}
            onChange={(event) => setRestart(event.target.checked)}
          />
        </ConfirmDialog>
      )}
    </details>
  );
}

export function RebootNotice({ stationId, onIdle }: { stationId: string; onIdle: boolean }) {
  const may = useMay('call_stations');
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-2 border-t border-line bg-warning-soft px-4 py-2 text-warning"
    >
      <RotateCcw aria-hidden size={15} />
      <span className="min-w-0 flex-1">{t(onIdle ? 'reboot.idle' : 'reboot')}</span>
      {may && !onIdle && (
        <Button
          small
          icon={RotateCcw}
          onClick={() =>
            void giveCommand(t('reboot.do'), { command: 'reset', mode: 'on_idle' }, [stationId])
          }
        >
          {t('reboot.do')}
        </Button>
      )}
    </div>
  );
}
