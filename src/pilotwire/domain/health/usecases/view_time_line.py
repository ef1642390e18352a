"""Looking at what happened at a station, in one order."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.health.time_line_queries import KINDS, list_happenings
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.stations.queries import find_station_id

__all__ = ["view_time_line"]


async def view_time_line(
    db: Database,
    principal: Principal,
    identity: str,
    kinds: Collection[str],
    before: tuple[datetime, str],
    limit: int,
) -> Sequence[Row[Any]]:
    """List connections, statuses, sessions, commands and security events of a station, the newest first.

    Without `kinds` all; `before` is the moment and the key of the last one seen.
    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        station_id = await find_station_id(connection, identity)
        if station_id is None:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
        return await list_happenings(connection, station_id, kinds or KINDS, before, limit)
