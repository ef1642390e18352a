"""Where the energy of sites and sessions came from in SQL, for the job that works it out; over all tenants."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.energy.origins import Mix, StepFlows, Store

__all__ = [
    "find_beginning",
    "find_store",
    "keep_mixes",
    "keep_session_steps",
    "list_intensities",
    "list_registers",
    "list_sessions",
    "read_flows",
]

_STEP = timedelta(minutes=15)
_PARTS = {
    "bought_wh": "greatest(grid_w, 0)",
    "sold_wh": "greatest(-grid_w, 0)",
    "solar_wh": "greatest(coalesce(solar_w, 0), 0)",
    "wind_wh": "greatest(coalesce(wind_w, 0), 0)",
    "given_wh": "greatest(coalesce(battery_w, 0), 0)",
    "filled_wh": "greatest(-coalesce(battery_w, 0), 0)",
}


async def find_beginning(connection: asyncpg.Connection, site_id: UUID) -> datetime | None:
    """Find the first step that is not worked out yet."""
    last: datetime | None = await connection.fetchval(
        "SELECT max(starts_at) FROM energy_mix WHERE site_id = $1", site_id
    )
    if last is not None:
        return last + _STEP
    first: datetime | None = await connection.fetchval(
        "SELECT date_bin('15 minutes', min(received_at - make_interval(secs => interval_s)), 'epoch'::timestamptz)"
        " FROM energy_history WHERE site_id = $1 AND grid_w IS NOT NULL",
        site_id,
    )
    return first


async def find_store(connection: asyncpg.Connection, site_id: UUID, before: datetime) -> Store:
    """Find what the batteries of a site held of what before a step."""
    found = await connection.fetchval(
        "SELECT store::text FROM energy_mix WHERE site_id = $1 AND starts_at < $2 ORDER BY starts_at DESC LIMIT 1",
        site_id,
        before,
    )
    return Store() if found is None else msgspec.json.decode(found, type=Store)


async def read_flows(
    connection: asyncpg.Connection, site_id: UUID, since: datetime, until: datetime, capacity_wh: float
) -> dict[datetime, StepFlows]:
    """Give what flowed in the steps of a span, as far as the grid connection was measured."""
    sums = ", ".join(f"sum({part} * interval_s) / 3600 AS {name}" for name, part in _PARTS.items())
    rows = await connection.fetch(
        "SELECT date_bin('15 minutes', received_at - make_interval(secs => interval_s / 2), 'epoch'::timestamptz) AS at,"  # noqa: S608
        f" {sums}, avg(battery_soc_percent) AS soc_percent FROM energy_history"
        " WHERE site_id = $1 AND received_at > $2 AND received_at <= $3::timestamptz + interval '15 minutes'"
        " AND grid_w IS NOT NULL GROUP BY 1 ORDER BY 1",
        site_id,
        since,
        until,
    )
    return {
        row["at"]: StepFlows(
            **{name: float(row[name]) for name in _PARTS},
            stored_wh=None if row["soc_percent"] is None else capacity_wh * float(row["soc_percent"]) / 100,
        )
        for row in rows
        if since <= row["at"] < until
    }


async def list_intensities(
    connection: asyncpg.Connection, tenant_id: int, site_id: UUID, kind: str, since: datetime, until: datetime
) -> tuple[list[tuple[float, float, float]], list[tuple[float, float, float]]]:
    """List the intensities of a span: those of the site, which go first, and those of its tenant."""
    of_site = await connection.fetch(
        "SELECT starts_at, ends_at, value FROM energy_series WHERE site_id = $1 AND kind = $2 AND ends_at > $3"
        " AND starts_at < $4 ORDER BY starts_at",
        site_id,
        kind,
        since,
        until,
    )
    of_tenant = await connection.fetch(
        "SELECT starts_at, ends_at, value FROM energy_tenant_series WHERE tenant_id = $1 AND kind = $2 AND ends_at > $3"
        " AND starts_at < $4 ORDER BY starts_at",
        tenant_id,
        kind,
        since,
        until,
    )
    return _spans(of_site), _spans(of_tenant)


def _spans(rows: Sequence[Any]) -> list[tuple[float, float, float]]:
    return [(row["starts_at"].timestamp(), row["ends_at"].timestamp(), row["value"]) for row in rows]


async def keep_mixes(
    connection: asyncpg.Connection,
    tenant_id: int,
    site_id: UUID,
    mixes: Sequence[tuple[datetime, Mix, Store]],
) -> None:
    """Keep what was used in steps was made of."""
    await connection.executemany(
        "INSERT INTO energy_mix (site_id, starts_at, tenant_id, used_wh, solar_share, wind_share, battery_share,"
        " grid_share, renewable_share, average_g_per_kwh, marginal_g_per_kwh, store)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (site_id, starts_at) DO UPDATE SET"
        " used_wh = excluded.used_wh, solar_share = excluded.solar_share, wind_share = excluded.wind_share,"
        " battery_share = excluded.battery_share, grid_share = excluded.grid_share,"
        " renewable_share = excluded.renewable_share, average_g_per_kwh = excluded.average_g_per_kwh,"
        " marginal_g_per_kwh = excluded.marginal_g_per_kwh, store = excluded.store",
        [
            (
                site_id, at, tenant_id, mix.used_wh, mix.solar, mix.wind, mix.battery, mix.grid, mix.renewable,
                mix.average_g_per_kwh, mix.marginal_g_per_kwh, msgspec.json.encode(store).decode(),
            )
            for at, mix, store in mixes
        ],
    )  # fmt: skip


async def list_sessions(
    connection: asyncpg.Connection, site_id: UUID, since: datetime, until: datetime
) -> list[Any]:
    """List the sessions of a site that went on in a span, or of which something was heard in it."""
    rows: list[Any] = await connection.fetch(
        "SELECT s.id, s.started_at, s.ended_at, s.meter_start_wh, s.meter_end_wh FROM session s"
        " JOIN station t ON t.id = s.station_id WHERE t.site_id = $1 AND s.started_at < $3 AND s.energy_wh > 0"
        " AND (s.ended_at IS NULL OR s.ended_at >= $2 OR s.last_received_at >= $2)",
        site_id,
        since,
        until,
    )
    return rows


async def list_registers(
    connection: asyncpg.Connection, sessions: Mapping[UUID, datetime], until: datetime
) -> dict[UUID, list[tuple[float, float]]]:
    """Give the last reading of each step by session, each from a moment of its own on."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (s.session_id, date_bin('15 minutes', s.at, 'epoch'::timestamptz)) s.session_id, s.at,"
        " s.energy_wh FROM unnest($1::uuid[], $2::timestamptz[]) AS u (session_id, since) JOIN sample s"
        " ON s.session_id = u.session_id AND s.at >= u.since WHERE s.at <= $3 AND s.energy_wh IS NOT NULL"
        " AND s.received_at >= $4"
        " ORDER BY s.session_id, date_bin('15 minutes', s.at, 'epoch'::timestamptz), s.at DESC",
        list(sessions),
        list(sessions.values()),
        until,
        min(sessions.values()) - timedelta(hours=1),
    )
    found: dict[UUID, list[tuple[float, float]]] = {}
    for row in rows:
        found.setdefault(row["session_id"], []).append((row["at"].timestamp(), float(row["energy_wh"])))
    return found


async def keep_session_steps(
    connection: asyncpg.Connection,
    tenant_id: int,
    site_id: UUID,
    steps: Mapping[UUID, Mapping[datetime, float]],
    since: Mapping[UUID, datetime],
) -> None:
    """Replace what sessions took in steps, each from a moment of its own on."""
    await connection.execute(
        "DELETE FROM energy_session_step e USING unnest($1::uuid[], $2::timestamptz[]) AS u (session_id, since)"
        " WHERE e.session_id = u.session_id AND e.starts_at >= u.since",
        list(since),
        list(since.values()),
    )
    flat = [(session_id, at, energy) for session_id, each in steps.items() for at, energy in each.items()]
    await connection.execute(
        "INSERT INTO energy_session_step (session_id, starts_at, site_id, tenant_id, energy_wh)"
        " SELECT u.session_id, u.at, $1, $2, u.wh FROM unnest($3::uuid[], $4::timestamptz[], $5::float8[])"
        " AS u (session_id, at, wh)",
        site_id,
        tenant_id,
        [each[0] for each in flat],
        [each[1] for each in flat],
        [each[2] for each in flat],
    )
