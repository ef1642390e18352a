"""Counting what stations did on a day: in SQL, for the job that keeps the days and for one station as of now."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import asyncpg

__all__ = ["LEAST_ENERGY_WH", "STOPS_BY_FAULT", "count_day", "delete_old"]

LEAST_ENERGY_WH = 100
"""What a session must have delivered to be called a charge."""

STOPS_BY_FAULT = (
    "EmergencyStop", "GroundFault", "HardReset", "ImmediateReset", "OvercurrentFault", "PowerLoss", "PowerQuality", "Reboot",
)  # fmt: skip
"""Ends that the driver did not want, as OCPP names them (1.6 7.36 Reason; 2.x ReasonEnumType)."""

_COUNT = """
INSERT INTO station_day (station_id, day, tenant_id, messages, repaired, connects, plug_ins, plug_ins_charged, sessions,
    sessions_successful, energy_wh)
SELECT st.id, $1::date, st.tenant_id, coalesce(f.messages, 0), coalesce(f.repaired, 0), coalesce(c.connects, 0),
    coalesce(p.plug_ins, 0), coalesce(p.charged, 0), coalesce(s.sessions, 0), coalesce(s.successful, 0),
    coalesce(s.energy_wh, 0)
FROM station st
LEFT JOIN (SELECT station_id, count(*) AS messages, count(deviations) AS repaired FROM frame
    WHERE received_at >= $2 AND received_at < $3 AND ($6::int[] IS NULL OR station_id = ANY ($6)) GROUP BY 1
    ) f ON f.station_id = st.id
LEFT JOIN (SELECT station_id, count(*) AS connects FROM station_connection
    WHERE connected_at >= $2 AND connected_at < $3 GROUP BY 1) c ON c.station_id = st.id
LEFT JOIN (SELECT u.station_id, count(*) AS plug_ins, count(*) FILTER (WHERE EXISTS (
        SELECT FROM session x WHERE x.station_id = u.station_id AND x.evse_no = u.evse_no
        AND x.started_at >= u.plugged_at - interval '15 minutes' AND x.started_at <= u.unplugged_at
        AND x.energy_wh >= $4)) AS charged
    FROM plug_in u WHERE u.unplugged_at >= $2 AND u.unplugged_at < $3 GROUP BY 1) p ON p.station_id = st.id
LEFT JOIN (SELECT station_id, count(*) AS sessions, sum(energy_wh) AS energy_wh,
        count(*) FILTER (WHERE energy_wh >= $4 AND coalesce(stop_reason, '') <> ALL ($5::text[])) AS successful
    FROM session WHERE ended_at >= $2 AND ended_at < $3 GROUP BY 1) s ON s.station_id = st.id
WHERE ($6::int[] IS NULL OR st.id = ANY ($6))
    AND (f.station_id IS NOT NULL OR c.station_id IS NOT NULL OR p.station_id IS NOT NULL OR s.station_id IS NOT NULL)
ON CONFLICT (station_id, day) DO UPDATE SET messages = greatest(station_day.messages, excluded.messages),
    repaired = greatest(station_day.repaired, excluded.repaired), connects = excluded.connects,
    plug_ins = excluded.plug_ins, plug_ins_charged = excluded.plug_ins_charged, sessions = excluded.sessions,
    sessions_successful = excluded.sessions_successful, energy_wh = excluded.energy_wh
"""


async def count_day(
    connection: asyncpg.Connection, day: date, station_ids: Sequence[int] | None = None
) -> None:
    """Count what stations did on a day in UTC: all of them, or the ones named.

    Repeats: counts again; frames that were removed meanwhile stay counted.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    await connection.execute(
        _COUNT,
        day,
        start,
        start + timedelta(days=1),
        LEAST_ENERGY_WH,
        list(STOPS_BY_FAULT),
        None if station_ids is None else list(station_ids),
    )


async def delete_old(connection: asyncpg.Connection, before: datetime) -> None:
    """Remove connections, outages and plug-ins that were over before a moment; days are kept."""
    for table, column in (
        ("station_connection", "disconnected_at"),
        ("connector_outage", "ended_at"),
        ("plug_in", "unplugged_at"),
    ):
        await connection.execute(f"DELETE FROM {table} WHERE {column} < $1", before)  # noqa: S608 - constants
