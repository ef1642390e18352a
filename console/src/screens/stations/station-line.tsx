// A station in a list on a phone.
import { Link } from '@tanstack/react-router';
import { power } from '@/i18n/quantity';
import { useStation } from '@/live/hooks';
import { statusOf } from '@/live/status';
import { Ago, Figure } from '@/ui/live';
import { StatusIcon, statusWord } from '@/ui/status';

export function StationLine({ id }: { id: string }) {
  const station = useStation(id);
  if (!station) return null;
  return (
    <div className="relative flex items-center gap-3">
      <StatusIcon status={statusOf(station.status)} size={16} />
      <div className="min-w-0 flex-1">
        <Link
          to="/stations/$stationId"
          params={{ stationId: id }}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {station.name || id}
        </Link>
        <p className="truncate text-xs text-muted">
          {[statusWord(station.status), station.name && id, station.site]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      {station.power_w > 0 ? (
        <Figure quantity={power(station.power_w)} className="font-medium" />
      ) : station.connected ? null : (
        <span className="text-xs text-muted">
          <Ago at={station.last_seen_at} short />
        </span>
      )}
    </div>
  );
}
