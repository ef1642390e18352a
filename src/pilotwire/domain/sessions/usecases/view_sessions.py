"""Looking at charging sessions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.sessions import queries, repository
from pilotwire.domain.sessions.queries import SessionSums

__all__ = ["get_session", "list_events", "list_samples", "list_sessions", "sum_power", "sum_sessions"]


async def list_sessions(
    db: Database,
    principal: Principal,
    *,
    station_identity: str | None = None,
    state: str | None = None,
    before: UUID | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List sessions, the newest first; `before` is the id of the last one of the previous page."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await repository.list_sessions(
            connection, station_identity=station_identity, state=state, before=before, limit=limit
        )


async def get_session(db: Database, principal: Principal, session_id: UUID) -> Row[Any]:
    """Get a session.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await _session(connection, session_id)


async def list_samples(
    db: Database, principal: Principal, session_id: UUID, after: datetime | None = None, limit: int = 1000
) -> tuple[list[Row[Any]], datetime | None]:
    """List a session's samples in the order of their moments, and say where to go on (None: at the end).

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await _session(connection, session_id)
        rows = list(await repository.list_samples(connection, session_id, after=after, limit=limit + 1))
    if len(rows) <= limit:
        return rows, None
    # The next page begins behind a moment: samples of one moment must not be on both sides.
    border = rows[limit].at
    whole = [row for row in rows[:limit] if row.at != border]
    taken = whole or rows[:limit]
    return taken, taken[-1].at


async def list_events(db: Database, principal: Principal, session_id: UUID) -> Sequence[Row[Any]]:
    """List what a session's facts follow from, the thousand newest events, in the order of their receipt.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await _session(connection, session_id)
        return await repository.list_events(connection, session_id)


async def sum_sessions(db: Database, principal: Principal, since: datetime) -> SessionSums:
    """Add up what goes on now, and what was delivered by the sessions that began since a moment."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.sum_sessions(connection, since)


async def sum_power(
    db: Database, principal: Principal, since: datetime, now: datetime, step: timedelta
) -> list[tuple[datetime, float]]:
    """Add up the network's power at the end of each step; how it was before the console was opened."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.sum_power_by_step(connection, since, now, step)


async def _session(connection: Any, session_id: UUID) -> Row[Any]:
    row = await repository.find_session(connection, session_id)
    if row is None:
        raise NotFound(say("session_unknown", "there is no session {session}", session=session_id))
    return row
