"""What a live picture of a network begins with, in pages: stations with their sites, and their connectors."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.stations.tables import connector, site, station, station_presence

__all__ = ["page_of_connectors", "page_of_stations", "site_names"]

_STATION: tuple[Any, ...] = (
    *(station.c[name] for name in (
        "id", "identity", "name", "site_id", "admission", "ocpp_version", "vendor", "model", "firmware_version",
        "tags",
    )),
    func.coalesce(station_presence.c.connected, False).label("connected"),
    station_presence.c.disconnected_at,
    station_presence.c.last_seen_at,
)  # fmt: skip
_CONNECTOR = tuple(
    connector.c[name]
    for name in ("station_id", "evse_no", "connector_no", "status", "error_code", "status_at")
)


async def page_of_stations(
    connection: AsyncConnection, *, after: int = 0, limit: int = 2000, only: Sequence[int] | None = None
) -> Sequence[Row[Any]]:
    """Read stations by number: those after one, or of these those that are among `only`."""
    query = select(*_STATION).outerjoin(station_presence, station_presence.c.station_id == station.c.id)
    query = query.where(station.c.id > after)
    if only is not None:
        query = query.where(station.c.id.in_(only))
    return (await connection.execute(query.order_by(station.c.id).limit(limit))).all()


async def page_of_connectors(connection: AsyncConnection, station_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Read the connectors of a page of stations, which are in ascending order."""
    query = select(*_CONNECTOR).where(connector.c.station_id.between(station_ids[0], station_ids[-1]))
    return (await connection.execute(query)).all()


async def site_names(connection: AsyncConnection) -> dict[UUID, str]:
    """Give the name of every site."""
    return {row.id: row.name for row in await connection.execute(select(site.c.id, site.c.name))}
