"""How far the reading of each station's device model has come, and which wait for a reboot, in SQL; over all tenants."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from pilotwire.domain.configuration.model import ReadingState

__all__ = [
    "Unread",
    "find_waiting",
    "list_compared",
    "list_interrupted",
    "list_reboots",
    "list_resets",
    "list_told",
    "list_unread",
    "note_asked",
    "note_booted",
    "note_read",
    "note_reading",
    "note_reboot",
    "note_reset_given",
]

_MOST_ATTEMPTS = 3


class Unread(msgspec.Struct, frozen=True):
    """A station whose device model should be read."""

    station_id: int
    tenant_id: int
    identity: str


async def list_unread(
    connection: asyncpg.Connection, station_ids: Sequence[int], now: datetime
) -> list[Unread]:
    """Give of these stations the ones that were never read, or not since their firmware or version changed.

    One that could not be read three times is asked again a day later.
    """
    rows = await connection.fetch(
        "SELECT s.id, s.tenant_id, s.identity FROM station s LEFT JOIN device_model m ON m.station_id = s.id"
        " WHERE s.id = ANY($1::int[]) AND s.booted_at IS NOT NULL AND (m.state IS DISTINCT FROM 'complete'"
        " OR m.firmware_version <> s.firmware_version OR m.ocpp_version <> coalesce(s.ocpp_version, ''))"
        " AND NOT (coalesce(m.attempts, 0) >= $2 AND m.firmware_version = s.firmware_version"
        " AND m.asked_at > $3::timestamptz - interval '1 day') ORDER BY s.id",
        station_ids,
        _MOST_ATTEMPTS,
        now,
    )
    return [Unread(row["id"], row["tenant_id"], row["identity"]) for row in rows]


async def note_asked(connection: asyncpg.Connection, station_ids: Sequence[int], now: datetime) -> None:
    """Keep that the stations are being read because nobody had; a new firmware begins to count anew."""
    await connection.execute(
        "INSERT INTO device_model AS m (station_id, tenant_id, attempts, asked_at, firmware_version, ocpp_version)"
        " SELECT id, tenant_id, 1, $2, firmware_version, coalesce(ocpp_version, '') FROM station"
        " WHERE id = ANY($1::int[]) ON CONFLICT (station_id) DO UPDATE SET asked_at = excluded.asked_at,"
        " attempts = CASE WHEN m.firmware_version = excluded.firmware_version THEN m.attempts + 1 ELSE 1 END",
        station_ids,
        now,
    )


async def note_reading(connection: asyncpg.Connection, station_id: int, now: datetime) -> None:
    """Keep that a station is being read."""
    await connection.execute(
        "INSERT INTO device_model (station_id, tenant_id, state, asked_at) SELECT id, tenant_id, 'reading', $2"
        " FROM station WHERE id = $1 ON CONFLICT (station_id) DO UPDATE SET state = 'reading', detail = '',"
        " asked_at = excluded.asked_at",
        station_id,
        now,
    )


async def note_read(
    connection: asyncpg.Connection,
    station_id: int,
    state: ReadingState,
    pages: int,
    detail: str,
    now: datetime,
) -> None:
    """Keep how a reading ended; firmware and version are those that the station has now."""
    read = state in (ReadingState.COMPLETE, ReadingState.INCOMPLETE)
    await connection.execute(
        "INSERT INTO device_model AS m (station_id, tenant_id, state, detail, pages, read_at, firmware_version,"
        " ocpp_version) SELECT id, tenant_id, $2, $3, $4, $5, firmware_version, coalesce(ocpp_version, '')"
        " FROM station WHERE id = $1 ON CONFLICT (station_id) DO UPDATE SET state = excluded.state,"
        " detail = excluded.detail, pages = excluded.pages, read_at = coalesce(excluded.read_at, m.read_at),"
        " attempts = CASE WHEN excluded.state = 'complete' THEN 0 ELSE m.attempts END,"
        " firmware_version = excluded.firmware_version, ocpp_version = excluded.ocpp_version",
        station_id,
        state.value,
        detail[:1000],
        pages,
        now if read else None,
    )


async def list_interrupted(connection: asyncpg.Connection) -> list[int]:
    """Give the stations that were being read when the process before ended; they count as incomplete from now on."""
    rows = await connection.fetch(
        "UPDATE device_model SET state = 'incomplete', detail = 'the server stopped while it was read'"
        " WHERE state = 'reading' RETURNING station_id"
    )
    return [row["station_id"] for row in rows]


async def list_compared(connection: asyncpg.Connection, tenant_id: int, after: int, limit: int) -> list[int]:
    """Give stations of a tenant that have been read, in the order of their numbers."""
    rows = await connection.fetch(
        "SELECT station_id FROM device_model WHERE tenant_id = $1 AND station_id > $2 AND read_at IS NOT NULL"
        " ORDER BY station_id LIMIT $3",
        tenant_id,
        after,
        limit,
    )
    return [row["station_id"] for row in rows]


async def note_reboot(connection: asyncpg.Connection, station_id: int, *, reset_on_idle: bool) -> None:
    """Keep that a station has taken settings that hold after its next boot only."""
    await connection.execute(
        "INSERT INTO device_model AS m (station_id, tenant_id, reboot_pending, reset_on_idle)"
        " SELECT id, tenant_id, true, $2 FROM station WHERE id = $1 ON CONFLICT (station_id) DO UPDATE SET"
        " reboot_pending = true, reset_on_idle = m.reset_on_idle OR excluded.reset_on_idle",
        station_id,
        reset_on_idle,
    )


async def note_booted(connection: asyncpg.Connection, station_id: int) -> bool:
    """Keep that a station has booted; tell whether it was waited for."""
    row = await connection.fetchrow(
        "UPDATE device_model SET reboot_pending = false, reset_on_idle = false, state = 'incomplete', attempts = 0,"
        " detail = 'it has booted since, for new settings: to be read again'"
        " WHERE station_id = $1 AND (reboot_pending OR reset_on_idle) RETURNING station_id",
        station_id,
    )
    return row is not None


async def list_resets(connection: asyncpg.Connection) -> list[int]:
    """Give the stations that are to be reset as soon as they are idle."""
    return [
        row["station_id"]
        for row in await connection.fetch("SELECT station_id FROM device_model WHERE reset_on_idle")
    ]


async def list_reboots(connection: asyncpg.Connection) -> list[int]:
    """Give the stations whose new settings hold after their next boot."""
    return [
        row["station_id"]
        for row in await connection.fetch("SELECT station_id FROM device_model WHERE reboot_pending")
    ]


async def find_waiting(connection: asyncpg.Connection, station_id: int) -> tuple[int, str, str] | None:
    """Give tenant, identity and OCPP version of a station that is to be reset when idle, None for any other."""
    row = await connection.fetchrow(
        "SELECT s.tenant_id, s.identity, coalesce(s.ocpp_version, '') FROM device_model m"
        " JOIN station s ON s.id = m.station_id WHERE m.station_id = $1 AND m.reset_on_idle",
        station_id,
    )
    return None if row is None else (row[0], row[1], row[2])


async def note_reset_given(connection: asyncpg.Connection, station_id: int) -> bool:
    """Keep that a station's reset was given; False when somebody else was quicker."""
    row = await connection.fetchrow(
        "UPDATE device_model SET reset_on_idle = false WHERE station_id = $1 AND reset_on_idle RETURNING station_id",
        station_id,
    )
    return row is not None


async def list_told(
    connection: asyncpg.Connection, station_ids: Sequence[int], paths: Sequence[str]
) -> dict[int, dict[str, tuple[str | None, float | None]]]:
    """Give what stations last said of some variables, by station and path: the value, and the largest they take."""
    rows = await connection.fetch(
        "SELECT station_id, path, value, max_limit FROM device_variable"
        " WHERE station_id = ANY($1::int[]) AND path = ANY($2::text[]) AND attribute = 'actual'",
        station_ids,
        paths,
    )
    found: dict[int, dict[str, tuple[str | None, float | None]]] = {}
    for row in rows:
        found.setdefault(row["station_id"], {})[row["path"]] = (row["value"], row["max_limit"])
    return found
