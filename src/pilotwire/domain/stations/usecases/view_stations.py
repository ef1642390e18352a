"""Looking at stations: what they are, what they say, what they did."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.stations import queries
from pilotwire.domain.stations.exchange import Message, messages_of
from pilotwire.domain.stations.overview import StationOverview, overview_of
from pilotwire.domain.stations.ports import StationCaller
from pilotwire.domain.stations.queries import NetworkCounts, StationFilter

__all__ = [
    "count_network",
    "get_station",
    "list_deviations",
    "list_messages",
    "list_reports",
    "list_security_events",
    "list_stations",
]


async def get_station(
    db: Database, caller: StationCaller, principal: Principal, identity: str
) -> StationOverview:
    """Get a station as it is now.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        row = await queries.find_station(connection, identity)
        if row is None:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
        connectors = await queries.list_connectors(connection, [row.id])
    return overview_of(row, connectors[row.id], caller.link(row.id))


async def list_stations(
    db: Database,
    caller: StationCaller,
    principal: Principal,
    wanted: StationFilter,
    after: str | None = None,
    limit: int = 100,
) -> list[StationOverview]:
    """List stations by identity; `after` is the identity of the last one of the previous page."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        rows = await queries.list_stations(connection, wanted, after, limit)
        connectors = await queries.list_connectors(connection, [row.id for row in rows])
    return [overview_of(row, connectors[row.id], caller.link(row.id)) for row in rows]


async def list_messages(
    db: Database,
    principal: Principal,
    identity: str,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> tuple[list[Message], tuple[datetime, str] | None]:
    """List the frames of a station, the newest first, and say where to go on (None: these were the last).

    A call and its answer share a page: there are at most `limit` frames, or the two of one exchange.
    Raises: NotFound.
    """
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station_id(connection, identity)
        rows = await queries.list_frames(connection, station_id, before, limit + 1)
    taken: list[Row[Any]] = []
    frames = 0
    for row in rows:
        frames += 1 if row.response is None else 2
        if taken and frames > limit:
            break
        taken.append(row)
    more = len(taken) < len(rows)
    return messages_of(taken), (taken[-1].received_at, taken[-1].message_id) if more else None


async def list_security_events(
    db: Database, principal: Principal, identity: str, before: datetime | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List a station's security events, the newest first; `before` is the receipt of the last one seen.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station_id(connection, identity)
        return await queries.list_security_events(connection, station_id, before, limit)


async def list_reports(
    db: Database,
    principal: Principal,
    identity: str,
    kind: str | None = None,
    before: datetime | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List what a station reported besides its own state, the newest first.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        station_id = await _station_id(connection, identity)
        return await queries.list_reports(connection, station_id, kind, before, limit)


async def list_deviations(
    db: Database, principal: Principal, after: tuple[str, str, str] | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List how often each model of station needed which repair."""
    require(principal, Right.VIEW_MESSAGES)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_deviations(connection, after, limit)


async def count_network(db: Database, principal: Principal) -> NetworkCounts:
    """Count stations and connectors."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.count_network(connection)


async def _station_id(connection: Any, identity: str) -> int:
    station_id = await queries.find_station_id(connection, identity)
    if station_id is None:
        raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
    return station_id
