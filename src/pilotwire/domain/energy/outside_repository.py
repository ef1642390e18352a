"""Demand response, limits and series from outside in SQL, for the jobs; over all tenants."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from pilotwire.domain.energy.demand_response import Effect

__all__ = [
    "ControlRow",
    "EventRow",
    "SourceRow",
    "keep_effects",
    "keep_events",
    "keep_fetched",
    "keep_poll",
    "keep_result",
    "keep_told",
    "list_controls",
    "list_due_vtns",
    "list_ended_events",
    "list_events",
    "list_series",
    "list_sources",
    "sum_energy",
]


class EventRow(msgspec.Struct, frozen=True):
    """An event of a VTN as it is kept."""

    event_id: str
    name: str
    program_id: str
    content: Any
    starts_at: datetime
    ends_at: datetime | None
    opted_in: bool | None
    received_at: datetime
    withdrawn_at: datetime | None = None


async def list_due_vtns(connection: asyncpg.Connection, now: datetime) -> list[dict[str, Any]]:
    """List the VTNs that are to be asked now."""
    found = await connection.fetch(
        "SELECT * FROM energy_vtn WHERE polled_at IS NULL OR polled_at + make_interval(secs => poll_s) <= $1",
        now,
    )
    return [{**dict(row), "levels_w": msgspec.json.decode(row["levels_w"])} for row in found]


async def keep_poll(connection: asyncpg.Connection, vtn_id: UUID, now: datetime, error: str) -> None:
    """Note when a VTN was asked and what was wrong."""
    await connection.execute(
        "UPDATE energy_vtn SET polled_at = $2, error = $3 WHERE id = $1", vtn_id, now, error
    )


async def list_events(connection: asyncpg.Connection, vtn_id: UUID) -> list[EventRow]:
    """List the events of a VTN that are not withdrawn."""
    rows = await connection.fetch(
        "SELECT event_id, name, program_id, content::text AS content, starts_at, ends_at, opted_in, received_at,"
        " withdrawn_at FROM energy_dr_event WHERE vtn_id = $1 AND withdrawn_at IS NULL ORDER BY starts_at, event_id",
        vtn_id,
    )
    return [EventRow(**{**dict(row), "content": msgspec.json.decode(row["content"])}) for row in rows]


async def keep_events(
    connection: asyncpg.Connection, vtn: Mapping[str, Any], events: Sequence[EventRow], now: datetime
) -> None:
    """Keep what a VTN tells; events that it tells no more are withdrawn, unless they had ended."""
    for each in events:
        await connection.execute(
            "INSERT INTO energy_dr_event AS e (vtn_id, event_id, site_id, tenant_id, name, program_id, content, starts_at,"
            " ends_at, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (vtn_id, event_id)"
            " DO UPDATE SET name = excluded.name, program_id = excluded.program_id, content = excluded.content,"
            " starts_at = excluded.starts_at, ends_at = excluded.ends_at, withdrawn_at = NULL",
            vtn["id"],
            each.event_id,
            vtn["site_id"],
            vtn["tenant_id"],
            each.name,
            each.program_id,
            msgspec.json.encode(each.content).decode(),
            each.starts_at,
            each.ends_at,
            each.received_at,
        )
    await connection.execute(
        "UPDATE energy_dr_event SET withdrawn_at = $3 WHERE vtn_id = $1 AND withdrawn_at IS NULL"
        " AND NOT (event_id = ANY($2::text[])) AND (ends_at IS NULL OR ends_at > $3)",
        vtn["id"],
        [each.event_id for each in events],
        now,
    )


async def keep_effects(
    connection: asyncpg.Connection,
    vtn: Mapping[str, Any],
    effects: Sequence[tuple[str, Effect]],
    now: datetime,
) -> bool:
    """Replace the limits and series of a VTN by those of its events; tell whether a limit has changed."""
    prefix = f"openadr:{vtn['id']}:"
    before = await connection.fetch(
        "SELECT source, node_id, limit_w, starts_at, ends_at FROM energy_grid_limit"
        " WHERE site_id = $1 AND starts_with(source, $2)",
        vtn["site_id"],
        prefix,
    )
    limits = {
        f"{prefix}{number}": (vtn["node_id"], effect.value, effect.starts_at, effect.ends_at, name)
        for number, (name, effect) in enumerate(effects)
        if effect.kind == "limit_w" and (effect.ends_at is None or effect.ends_at > now)
    }
    changed = {tuple(row) for row in before} != {(source, *values[:4]) for source, values in limits.items()}
    if changed:
        await connection.execute(
            "DELETE FROM energy_grid_limit WHERE site_id = $1 AND starts_with(source, $2)",
            vtn["site_id"],
            prefix,
        )
        for source, (node_id, value, starts_at, ends_at, name) in limits.items():
            await connection.execute(
                "INSERT INTO energy_grid_limit (site_id, source, tenant_id, node_id, limit_w, starts_at, ends_at,"
                " reason, heard_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                vtn["site_id"], source, vtn["tenant_id"], node_id, value, starts_at, ends_at,
                f"demand response: {name}", now, vtn["ven_name"],
            )  # fmt: skip
    await connection.execute(
        "DELETE FROM energy_series WHERE site_id = $1 AND source = $2 AND ends_at > $3",
        vtn["site_id"],
        prefix,
        now,
    )
    for _, effect in effects:
        if effect.kind != "limit_w" and effect.ends_at is not None and effect.ends_at > now:
            await connection.execute(
                "INSERT INTO energy_series (site_id, kind, starts_at, ends_at, source, tenant_id, value)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site_id, kind, starts_at) DO UPDATE SET"
                " ends_at = excluded.ends_at, source = excluded.source, value = excluded.value, received_at = now()",
                vtn["site_id"], effect.kind, effect.starts_at, effect.ends_at, prefix, vtn["tenant_id"],
                effect.value,
            )  # fmt: skip
    return changed


async def list_ended_events(connection: asyncpg.Connection, vtn_id: UUID, before: datetime) -> list[EventRow]:
    """List the events of a VTN that ended before a moment and of which no result was sent."""
    rows = await connection.fetch(
        "SELECT event_id, name, program_id, '{}' AS content, starts_at, ends_at, opted_in, received_at, withdrawn_at"
        " FROM energy_dr_event WHERE vtn_id = $1 AND reported_at IS NULL AND withdrawn_at IS NULL AND ends_at <= $2"
        " AND ends_at > $2 - interval '7 days' ORDER BY ends_at LIMIT 20",
        vtn_id,
        before,
    )
    return [EventRow(**{**dict(row), "content": None}) for row in rows]


async def keep_result(
    connection: asyncpg.Connection,
    vtn_id: UUID,
    event_id: str,
    used_wh: float | None,
    baseline_wh: float | None,
    now: datetime,
) -> None:
    """Keep what came of an event."""
    await connection.execute(
        "UPDATE energy_dr_event SET used_wh = $3, baseline_wh = $4, reported_at = $5 WHERE vtn_id = $1 AND event_id = $2",
        vtn_id,
        event_id,
        used_wh,
        baseline_wh,
        now,
    )


async def sum_energy(
    connection: asyncpg.Connection, site_id: UUID, since: datetime, until: datetime
) -> float | None:
    """Give what a site bought in a span, in Wh, scaled up where up to half of it was not measured; None beyond that."""
    row = await connection.fetchrow(
        "SELECT sum(greatest(grid_w, 0) * interval_s) / 3600 AS wh, sum(interval_s) AS seconds FROM energy_history"
        " WHERE site_id = $1 AND received_at > $2 AND received_at <= $3 AND grid_w IS NOT NULL",
        site_id,
        since,
        until,
    )
    length_s = (until - since).total_seconds()
    if row["wh"] is None or row["seconds"] < length_s / 2:
        return None
    return float(row["wh"]) * length_s / float(row["seconds"])


async def list_series(
    connection: asyncpg.Connection, site_id: UUID, kind: str, since: datetime, until: datetime
) -> list[Any]:
    """List the values of a series that hold in a span."""
    rows: list[Any] = await connection.fetch(
        "SELECT starts_at, ends_at, value FROM energy_series WHERE site_id = $1 AND kind = $2 AND ends_at > $3"
        " AND starts_at < $4 ORDER BY starts_at",
        site_id,
        kind,
        since,
        until,
    )
    return rows


class SourceRow(msgspec.Struct, frozen=True):
    """A source of a meter's readings as it is kept."""

    id: UUID
    tenant_id: int
    site_id: UUID
    meter: str
    source: Any
    password: bytes | None


async def list_sources(connection: asyncpg.Connection) -> list[SourceRow]:
    """List the sources of the sites at which energy management runs."""
    rows = await connection.fetch(
        "SELECT m.id, m.tenant_id, m.site_id, m.meter, m.source::text AS source, m.password"
        " FROM energy_meter_source m JOIN energy_site e ON e.site_id = m.site_id WHERE e.enabled"
    )
    return [SourceRow(**{**dict(row), "source": msgspec.json.decode(row["source"])}) for row in rows]


async def keep_fetched(
    connection: asyncpg.Connection, source_id: UUID, read_at: datetime | None, problem: str
) -> None:
    """Note when a source gave a reading last, or what is wrong with it."""
    await connection.execute(
        "UPDATE energy_meter_source SET read_at = coalesce($2, read_at), error = $3 WHERE id = $1",
        source_id,
        read_at,
        problem,
    )


class ControlRow(msgspec.Struct, frozen=True):
    """How a battery is told its set point, as it is kept."""

    id: UUID
    tenant_id: int
    site_id: UUID
    battery: str
    control: Any
    password: bytes | None


async def list_controls(connection: asyncpg.Connection) -> list[ControlRow]:
    """List the batteries that are told set points, of the sites at which energy management runs."""
    rows = await connection.fetch(
        "SELECT c.id, c.tenant_id, c.site_id, c.battery, c.control::text AS control, c.password"
        " FROM energy_battery_control c JOIN energy_site e ON e.site_id = c.site_id WHERE e.enabled"
    )
    return [ControlRow(**{**dict(row), "control": msgspec.json.decode(row["control"])}) for row in rows]


async def keep_told(
    connection: asyncpg.Connection, control_id: UUID, told_at: datetime | None, problem: str
) -> None:
    """Note when a battery took a set point last, or what is wrong with it."""
    await connection.execute(
        "UPDATE energy_battery_control SET told_at = coalesce($2, told_at), error = $3 WHERE id = $1",
        control_id,
        told_at,
        problem,
    )
