"""Health in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, delete, func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.health.tables import (
    connector_outage,
    excluded_downtime,
    station_connection,
    station_day,
)
from pilotwire.domain.stations.tables import connector, site, station, station_presence

__all__ = [
    "clock_offset_s",
    "connects_since",
    "delete_downtime",
    "find_downtime",
    "first_connections",
    "insert_downtime",
    "list_connections",
    "list_days",
    "list_downtime",
    "list_outages",
    "list_outlets",
    "list_stations",
]

_DAY = tuple(column for column in station_day.c if column.name not in ("tenant_id", "day", "station_id"))
_DOWNTIME: tuple[Any, ...] = (
    *(column for column in excluded_downtime.c if column.name not in ("tenant_id", "station_id")),
    station.c.identity.label("station_identity"),
    excluded_downtime.c.station_id,
)


async def list_stations(
    connection: AsyncConnection,
    *,
    identity: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """List stations by identity with where they stand and whether they are connected."""
    query: Select[Any] = (
        select(
            station.c.id,
            station.c.identity,
            station.c.name,
            station.c.vendor,
            station.c.model,
            station.c.site_id,
            site.c.name.label("site_name"),
            site.c.opening_hours,
            site.c.time_zone,
            func.coalesce(station_presence.c.connected, False).label("connected"),
            station_presence.c.last_seen_at,
        )
        .outerjoin(site, site.c.id == station.c.site_id)
        .outerjoin(station_presence, station_presence.c.station_id == station.c.id)
        .order_by(station.c.identity)
    )
    if identity is not None:
        query = query.where(station.c.identity == identity)
    if after is not None:
        query = query.where(station.c.identity > after)
    rows: Sequence[Row[Any]] = (await connection.execute(query.limit(limit))).all()
    return rows


async def list_outlets(
    connection: AsyncConnection, station_ids: Sequence[int]
) -> dict[int, list[tuple[int, int]]]:
    """Give EVSE and connector numbers of stations, without the station itself."""
    query = select(connector.c.station_id, connector.c.evse_no, connector.c.connector_no).where(
        connector.c.evse_no > 0, connector.c.station_id == func.any(list(station_ids))
    )
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in await connection.execute(query.order_by(connector.c.evse_no, connector.c.connector_no)):
        found[row.station_id].append((row.evse_no, row.connector_no))
    return found


async def first_connections(connection: AsyncConnection, station_ids: Sequence[int]) -> dict[int, datetime]:
    """Give the moments since which stations are known."""
    query = (
        select(station_connection.c.station_id, func.min(station_connection.c.connected_at))
        .where(station_connection.c.station_id == func.any(list(station_ids)))
        .group_by(station_connection.c.station_id)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}


async def list_connections(
    connection: AsyncConnection, station_ids: Sequence[int], start: datetime, end: datetime
) -> Sequence[Row[Any]]:
    """List connections that reach into a window: station, connected, disconnected (None: still)."""
    row = station_connection.c
    query: Select[Any] = select(row.station_id, row.connected_at, row.disconnected_at).where(
        row.station_id == func.any(list(station_ids)),
        row.connected_at < end,
        or_(row.disconnected_at.is_(None), row.disconnected_at > start),
    )
    rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
    return rows


async def list_outages(
    connection: AsyncConnection, station_ids: Sequence[int], start: datetime, end: datetime
) -> Sequence[Row[Any]]:
    """List outages of connectors that reach into a window."""
    row = connector_outage.c
    query: Select[Any] = select(
        row.station_id, row.evse_no, row.connector_no, row.status, row.started_at, row.ended_at
    ).where(
        row.station_id == func.any(list(station_ids)),
        row.started_at < end,
        or_(row.ended_at.is_(None), row.ended_at > start),
    )
    rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
    return rows


async def list_days(
    connection: AsyncConnection, station_ids: Sequence[int], first: date, last: date
) -> dict[int, Row[Any]]:
    """Add up the days of stations."""
    query = (
        select(station_day.c.station_id, *(func.sum(column).label(column.name) for column in _DAY))
        .where(
            station_day.c.station_id == func.any(list(station_ids)),
            station_day.c.day >= first,
            station_day.c.day <= last,
        )
        .group_by(station_day.c.station_id)
    )
    return {row.station_id: row for row in await connection.execute(query)}


async def connects_since(connection: AsyncConnection, station_id: int, since: datetime) -> int:
    """Count how often a station connected since a moment."""
    query = select(func.count()).where(
        station_connection.c.station_id == station_id, station_connection.c.connected_at >= since
    )
    return int((await connection.execute(query)).scalar_one())


async def clock_offset_s(connection: AsyncConnection, station_id: int) -> float | None:
    """Tell by how much a station's clock is ahead; None while it has not told the time.

    The most recent of its moments is the best: what waited on its way only looks older.
    """
    found: float | None = await connection.scalar(
        text(
            "SELECT max(extract(epoch FROM status_at - received_at)) FROM (SELECT status_at, received_at"
            " FROM connector_status WHERE station_id = :station_id AND status_at <> received_at"
            " ORDER BY received_at DESC LIMIT 20) AS newest"
        ),
        {"station_id": station_id},
    )
    return None if found is None else float(found)


async def list_downtime(
    connection: AsyncConnection,
    *,
    station_ids: Sequence[int] | None = None,
    between: tuple[datetime, datetime] | None = None,
    before: UUID | None = None,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """List downtime that does not count, the newest entry first; `station_ids` includes what holds for their sites."""
    row = excluded_downtime.c
    query = select(*_DOWNTIME).outerjoin(station, station.c.id == row.station_id).order_by(row.id.desc())
    if station_ids is not None:
        sites = select(station.c.site_id).where(station.c.id == func.any(list(station_ids)))
        query = query.where(
            or_(
                row.station_id == func.any(list(station_ids)),
                row.site_id.in_(sites),
                and_(row.station_id.is_(None), row.site_id.is_(None)),
            )
        )
    if between is not None:
        query = query.where(row.started_at < between[1], row.ended_at > between[0])
    if before is not None:
        query = query.where(row.id < before)
    rows: Sequence[Row[Any]] = (await connection.execute(query.limit(limit))).all()
    return rows


async def find_downtime(connection: AsyncConnection, downtime_id: UUID) -> Row[Any] | None:
    """Find an entry of downtime."""
    query = (
        select(*_DOWNTIME)
        .outerjoin(station, station.c.id == excluded_downtime.c.station_id)
        .where(excluded_downtime.c.id == downtime_id)
    )
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


async def insert_downtime(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add an entry of downtime."""
    await connection.execute(insert(excluded_downtime).values(**values))


async def delete_downtime(connection: AsyncConnection, downtime_id: UUID) -> None:
    """Remove an entry of downtime."""
    await connection.execute(delete(excluded_downtime).where(excluded_downtime.c.id == downtime_id))
