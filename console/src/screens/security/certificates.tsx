import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FileBadge, Inbox } from 'lucide-react';
import { useState } from 'react';
import { allPages, api, data, type Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { day } from '@/i18n/quantity';
import { Button } from '@/ui/button';
import type { Column } from '@/ui/data-table';
import { ConfirmDialog } from '@/ui/dialog';
import { Field, Input, TextArea } from '@/ui/fields';
import { Ago } from '@/ui/live';
import { QueryTable } from '@/ui/query-table';
import { EmptyState } from '@/ui/states';
import { toast } from '@/ui/toast';
import { t } from './text';

type Certificate = Schemas['Certificate'];
type Request = Schemas['CertificateRequest'];

const SOON_MS = 30 * 86_400_000;

export function StationLink({ id }: { id: string }) {
  return (
    <Link
      to="/stations/$stationId"
      params={{ stationId: id }}
      className="font-medium hover:underline"
    >
      {id}
    </Link>
  );
}

function Ends({ certificate }: { certificate: Certificate }) {
  const left = Date.parse(certificate.not_after) - Date.now();
  const isSoon = certificate.state !== 'revoked' && left < SOON_MS;
  return (
    <span className={isSoon ? 'text-warning' : undefined}>
      {day(certificate.not_after)}
      {isSoon && ` (${t(left < 0 ? 'ends.over' : 'ends.soon')})`}
    </span>
  );
}

export function Certificates({ stationId }: { stationId?: string }) {
  const may = useMay('manage_certificates');
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Certificate | null>(null);
  const [reason, setReason] = useState('');
  const query = useQuery({
    queryKey: ['certificates', stationId ?? ''],
    queryFn: () =>
      allPages((cursor) =>
        data(
          api.GET('/api/v1/certificates', {
            params: {
              query: { limit: 1000, cursor, ...(stationId ? { station_id: stationId } : {}) },
            },
          }),
        ),
      ),
  });
  const revoke = async (certificate: Certificate) => {
    try {
      await api.POST('/api/v1/certificates/{certificate_id}/revoke', {
        params: { path: { certificate_id: certificate.id } },
        body: { reason: reason.trim() },
      });
      await queries.invalidateQueries({ queryKey: ['certificates'] });
    } catch (fault) {
      toast('bad', t('refused'), fault instanceof Error ? fault.message : String(fault));
    }
    setAsked(null);
    setReason('');
  };
  const columns: Column<Certificate>[] = [
    {
      id: 'station',
      header: t('station'),
      width: 'minmax(140px, 1fr)',
      text: (row) => row.station_id,
      cell: (row) => <StationLink id={row.station_id} />,
    },
    {
      id: 'purpose',
      header: t('purpose'),
      width: '130px',
      text: (row) => t(`purpose.${row.purpose}`),
      cell: (row) => t(`purpose.${row.purpose}`),
    },
    {
      id: 'state',
      header: t('state'),
      width: '120px',
      text: (row) => t(`cert.${row.state}`),
      cell: (row) => t(`cert.${row.state}`),
    },
    {
      id: 'ends',
      header: t('ends'),
      width: '200px',
      text: (row) => row.not_after,
      cell: (row) => <Ends certificate={row} />,
    },
    {
      id: 'subject',
      header: t('subject'),
      width: 'minmax(160px, 2fr)',
      text: (row) => row.subject,
      cell: (row) => <span className="text-muted">{row.subject}</span>,
    },
    {
      id: 'act',
      header: '',
      width: '110px',
      align: 'right',
      cell: (row) =>
        may &&
        row.state !== 'revoked' && (
          <Button small onClick={() => setAsked(row)}>
            {t('revoke')}
          </Button>
        ),
    },
  ];
  return (
    <>
      <QueryTable
        query={query}
        label={t('tab.certificates')}
        name="certificates"
        search={!stationId}
        columns={stationId ? columns.filter((column) => column.id !== 'station') : columns}
        rowKey={(row) => row.id}
        rowHeight={40}
        empty={
          <EmptyState icon={FileBadge} title={t('certificates.none')}>
            {t('certificates.none.hint')}
          </EmptyState>
        }
      />
      {asked && (
        <ConfirmDialog
          open
          destructive
          onOpenChange={(next) => !next && setAsked(null)}
          title={t('revoke.title', { station: asked.station_id })}
          action={t('revoke')}
          consequence={t('revoke.consequence')}
          disabled={!reason.trim()}
          onConfirm={() => void revoke(asked)}
        >
          <Field label={t('reason')}>
            <Input value={reason} onChange={(event) => setReason(event.target.value)} required />
          </Field>
        </ConfirmDialog>
      )}
    </>
  );
}

export function Requests({ stationId }: { stationId?: string }) {
  const may = useMay('manage_certificates');
  const queries = useQueryClient();
  const [asked, setAsked] = useState<{ row: Request; act: 'sign' | 'refuse' } | null>(null);
  const [text, setText] = useState('');
  const query = useQuery({
    queryKey: ['certificate-requests', stationId ?? ''],
    queryFn: () =>
      allPages((cursor) =>
        data(
          api.GET('/api/v1/certificate-requests', {
            params: {
              query: { limit: 500, cursor, ...(stationId ? { station_id: stationId } : {}) },
            },
          }),
        ),
      ),
    refetchInterval: 10_000,
  });
  const send = async ({ row, act }: { row: Request; act: 'sign' | 'refuse' }) => {
    const params = { path: { request_id: row.id } };
    try {
      if (act === 'sign')
        await api.POST('/api/v1/certificate-requests/{request_id}/certificate', {
          params,
          body: { chain: text },
        });
      else
        await api.POST('/api/v1/certificate-requests/{request_id}/refuse', {
          params,
          body: { reason: text.trim() },
        });
      setAsked(null);
      setText('');
      await queries.invalidateQueries({ queryKey: ['certificate-requests'] });
    } catch (fault) {
      toast('bad', t('refused'), fault instanceof Error ? fault.message : String(fault));
    }
  };
  const columns: Column<Request>[] = [
    {
      id: 'station',
      header: t('station'),
      width: 'minmax(140px, 1fr)',
      text: (row) => row.station_id,
      cell: (row) => <StationLink id={row.station_id} />,
    },
    {
      id: 'purpose',
      header: t('purpose'),
      width: '130px',
      text: (row) => t(`purpose.${row.purpose}`),
      cell: (row) => t(`purpose.${row.purpose}`),
    },
    {
      id: 'state',
      header: t('state'),
      width: '130px',
      text: (row) => t(`request.${row.state}`),
      cell: (row) => t(`request.${row.state}`),
    },
    {
      id: 'at',
      header: t('since'),
      width: '110px',
      text: (row) => row.received_at,
      cell: (row) => <Ago at={row.received_at} />,
    },
    {
      id: 'reason',
      header: t('reason'),
      width: 'minmax(140px, 2fr)',
      text: (row) => row.reason,
      cell: (row) => <span className="text-muted">{row.reason}</span>,
    },
    {
      id: 'act',
      header: '',
      width: '200px',
      align: 'right',
      cell: (row) =>
        may &&
        row.state === 'waiting' && (
          <span className="inline-flex gap-1.5">
            <Button small onClick={() => setAsked({ row, act: 'refuse' })}>
              {t('refuse')}
            </Button>
            <Button small look="primary" onClick={() => setAsked({ row, act: 'sign' })}>
              {t('sign')}
            </Button>
          </span>
        ),
    },
  ];
  return (
    <>
      <QueryTable
        query={query}
        label={t('tab.requests')}
        name="certificate-requests"
        search={!stationId}
        columns={stationId ? columns.filter((column) => column.id !== 'station') : columns}
        rowKey={(row) => row.id}
        rowHeight={40}
        empty={
          <EmptyState icon={Inbox} title={t('requests.none')}>
            {t('requests.none.hint')}
          </EmptyState>
        }
      />
      {asked && (
        <ConfirmDialog
          open
          onOpenChange={(next) => !next && setAsked(null)}
          title={t(`${asked.act}.title`, { station: asked.row.station_id })}
          action={t(asked.act)}
          destructive={asked.act === 'refuse'}
          consequence={t(`${asked.act}.consequence`)}
          disabled={!text.trim()}
          onConfirm={() => void send(asked)}
        >
          {asked.act === 'sign' ? (
            <>
              <Field label={t('csr')}>
                <TextArea readOnly className="font-mono text-xs" value={asked.row.csr_pem} />
              </Field>
              <Field label={t('chain')}>
                <TextArea
                  className="font-mono text-xs"
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                />
              </Field>
            </>
          ) : (
            <Field label={t('reason')}>
              <Input value={text} onChange={(event) => setText(event.target.value)} />
            </Field>
          )}
        </ConfirmDialog>
      )}
    </>
  );
}
