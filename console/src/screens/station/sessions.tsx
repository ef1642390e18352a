import { SessionList } from '@/screens/sessions/list';

export function StationSessions({ stationId }: { stationId: string }) {
  return <SessionList station={stationId} />;
}
