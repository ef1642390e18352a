"""Energy management in SQL, for the loops; over all tenants."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.energy.drive import Drive
from pilotwire.domain.energy.grid_limits import GridLimit

__all__ = [
    "SiteRow",
    "list_drives",
    "list_external_limits",
    "list_grid_limits",
    "list_open_sessions",
    "list_overrides",
    "list_readings",
    "list_sites",
    "list_stations",
    "list_wishes",
    "read_peak",
    "write_drives",
    "write_history",
    "write_past",
    "write_peak",
]


class SiteRow(msgspec.Struct, frozen=True):
    """A site at which energy management runs."""

    site_id: UUID
    tenant_id: int
    time_zone: str
    tree: Any
    version: int


async def list_sites(connection: asyncpg.Connection, site_id: UUID | None = None) -> list[SiteRow]:
    """List the sites at which energy management runs, or one of them."""
    rows = await connection.fetch(
        "SELECT e.site_id, e.tenant_id, s.time_zone, e.tree::text AS tree, e.version FROM energy_site e"
        " JOIN site s ON s.id = e.site_id WHERE e.enabled AND ($1::uuid IS NULL OR e.site_id = $1)",
        site_id,
    )
    return [SiteRow(**{**dict(row), "tree": msgspec.json.decode(row["tree"])}) for row in rows]


async def list_stations(connection: asyncpg.Connection, identities: Sequence[str]) -> dict[str, int]:
    """Give the numbers of stations by identity."""
    rows = await connection.fetch(
        "SELECT identity, id FROM station WHERE identity = ANY($1::text[])", list(identities)
    )
    return {row["identity"]: row["id"] for row in rows}


async def list_open_sessions(connection: asyncpg.Connection, station_ids: Sequence[int]) -> list[Any]:
    """List the sessions that have not ended, the oldest first."""
    rows: list[Any] = await connection.fetch(
        "SELECT id, station_id, evse_no, started_at, energy_wh, soc_percent, charging_state, token_uid FROM session"
        " WHERE station_id = ANY($1::int[]) AND ended_at IS NULL AND evse_no IS NOT NULL ORDER BY started_at, id",
        list(station_ids),
    )
    return rows


async def list_wishes(
    connection: asyncpg.Connection, session_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[str, dict[str, Any]]]]:
    """Give what was said of sessions' wishes: source and fields."""
    rows = await connection.fetch(
        "SELECT session_id, source, energy_wh, departure_at, priority, details::text AS details FROM energy_wish"
        " WHERE session_id = ANY($1::uuid[])",
        list(session_ids),
    )
    found: dict[UUID, list[tuple[str, dict[str, Any]]]] = {}
    for row in rows:
        fields = {name: row[name] for name in ("energy_wh", "departure_at", "priority")}
        said = {**msgspec.json.decode(row["details"]), **{k: v for k, v in fields.items() if v is not None}}
        found.setdefault(row["session_id"], []).append((row["source"], said))
    return found


async def list_overrides(connection: asyncpg.Connection, site_id: UUID, now: datetime) -> list[Any]:
    """List the limits that people have set and that hold."""
    rows: list[Any] = await connection.fetch(
        "SELECT o.*, s.identity FROM energy_override o LEFT JOIN station s ON s.id = o.station_id"
        " WHERE o.site_id = $1 AND o.ended_at IS NULL AND o.expires_at > $2",
        site_id,
        now,
    )
    return rows


async def list_grid_limits(connection: asyncpg.Connection, site_id: UUID) -> list[GridLimit]:
    """List what grid operators and others outside have said of a site."""
    names = GridLimit.__struct_fields__
    rows = await connection.fetch("SELECT * FROM energy_grid_limit WHERE site_id = $1", site_id)
    return [GridLimit(**{name: row[name] for name in names}) for row in rows]


async def list_external_limits(connection: asyncpg.Connection, station_ids: Sequence[int]) -> list[Any]:
    """List the limits that stations have reported."""
    rows: list[Any] = await connection.fetch(
        "SELECT station_id, evse_no, source, grid_critical, schedules::text AS schedules, received_at"
        " FROM energy_external_limit WHERE station_id = ANY($1::int[])",
        list(station_ids),
    )
    return rows


async def list_readings(connection: asyncpg.Connection, site_id: UUID) -> list[Any]:
    """List the newest readings of a site's meters."""
    rows: list[Any] = await connection.fetch("SELECT * FROM energy_meter WHERE site_id = $1", site_id)
    return rows


async def list_drives(
    connection: asyncpg.Connection, station_ids: Sequence[int]
) -> dict[tuple[int, int], Drive]:
    """Give what stations were told, by station and EVSE."""
    rows = await connection.fetch(
        "SELECT station_id, evse_no, state::text AS state FROM energy_drive WHERE station_id = ANY($1::int[])",
        list(station_ids),
    )
    return {
        (row["station_id"], row["evse_no"]): msgspec.json.decode(row["state"], type=Drive) for row in rows
    }


async def write_drives(
    connection: asyncpg.Connection, tenant_id: int, drives: Sequence[tuple[int, int, Drive]]
) -> None:
    """Keep what stations are about to be told, or have answered."""
    ordered = sorted(drives, key=lambda each: each[:2])
    await connection.execute(
        "INSERT INTO energy_drive (station_id, evse_no, tenant_id, state) SELECT u.station_id, u.evse_no, $1,"
        " u.state::jsonb FROM unnest($2::int[], $3::int[], $4::text[]) AS u (station_id, evse_no, state)"
        " WHERE EXISTS (SELECT FROM station s WHERE s.id = u.station_id)"
        " ON CONFLICT (station_id, evse_no) DO UPDATE SET state = excluded.state, changed_at = now()",
        tenant_id,
        [each[0] for each in ordered],
        [each[1] for each in ordered],
        [msgspec.json.encode(each[2]).decode() for each in ordered],
    )


async def read_peak(connection: asyncpg.Connection, site_id: UUID, month: date) -> float:
    """Give the highest demand of a month so far, in W."""
    found = await connection.fetchval(
        "SELECT peak_w FROM energy_peak WHERE site_id = $1 AND month = $2", site_id, month
    )
    return float(found or 0.0)


async def write_peak(
    connection: asyncpg.Connection, tenant_id: int, site_id: UUID, month: date, peak_w: float, at: datetime
) -> None:
    """Keep a month's highest demand."""
    await connection.execute(
        "INSERT INTO energy_peak AS p (site_id, month, tenant_id, peak_w, peak_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (site_id, month) DO UPDATE SET peak_w = excluded.peak_w, peak_at = excluded.peak_at"
        " WHERE p.peak_w < excluded.peak_w",
        site_id,
        month,
        tenant_id,
        peak_w,
        at,
    )


_FLOWS = (
    "grid_w",
    "solar_w",
    "wind_w",
    "battery_w",
    "chargers_w",
    "base_w",
    "battery_soc_percent",
    "price_per_kwh",
)


async def write_history(
    connection: asyncpg.Connection,
    tenant_id: int,
    site_id: UUID,
    at: datetime,
    interval_s: float,
    means: dict[str, float | None],
) -> None:
    """Keep the means of a site's flows over the time before a moment."""
    await connection.execute(
        f"INSERT INTO energy_history (tenant_id, site_id, received_at, interval_s, {', '.join(_FLOWS)})"  # noqa: S608
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tenant_id,
        site_id,
        at,
        interval_s,
        *(means.get(name) for name in _FLOWS),
    )


async def write_past(
    connection: asyncpg.Connection,
    tenant_id: int,
    site_id: UUID,
    interval_s: float,
    rows: Sequence[tuple[datetime, float, float, float, float, float, float]],
) -> None:
    """Keep a stretch of history: the end of each step, then grid, sun, battery, chargers, other loads in W, and charge."""
    await connection.executemany(
        "INSERT INTO energy_history (tenant_id, site_id, interval_s, received_at, grid_w, solar_w, battery_w,"
        " chargers_w, base_w, battery_soc_percent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [(tenant_id, site_id, interval_s, *row) for row in rows],
    )
