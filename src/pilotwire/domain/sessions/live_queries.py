"""What a live picture of a network begins with: open sessions, and what the ended ones of today delivered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.sessions.model import SessionFacts
from pilotwire.domain.sessions.stored import read_facts
from pilotwire.domain.sessions.tables import session

__all__ = ["open_sessions", "sums_of_ended"]


async def open_sessions(
    connection: AsyncConnection, station_ids: Sequence[int]
) -> list[tuple[int, SessionFacts]]:
    """Read the open sessions of a page of stations, which are in ascending order."""
    query = select(session.c.station_id, session.c.facts, session.c.progress).where(
        session.c.ended_at.is_(None), session.c.station_id.between(station_ids[0], station_ids[-1])
    )
    return [(row.station_id, read_facts(row.facts, row.progress)) for row in await connection.execute(query)]


async def sums_of_ended(connection: AsyncConnection, since: datetime) -> Sequence[Row[Any]]:
    """Count per station the sessions that began since a moment and have ended, and add up their energy."""
    # Ids are ordered by the time of their making, which is no earlier than the start: the index finds them.
    first_id = UUID(int=(int(since.timestamp() * 1000) << 80))
    query = (
        select(
            session.c.station_id,
            func.count().label("sessions"),
            func.coalesce(func.sum(session.c.energy_wh), 0).label("energy_wh"),
        )
        .where(session.c.id >= first_id, session.c.started_at >= since, session.c.ended_at.is_not(None))
        .group_by(session.c.station_id)
    )
    return (await connection.execute(query)).all()
