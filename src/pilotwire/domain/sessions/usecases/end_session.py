"""Ending a session by hand: its station never will."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.sessions import repository
from pilotwire.domain.sessions.errors import SessionOver
from pilotwire.domain.sessions.settle import SessionDesk, Settling

__all__ = ["end_session"]


async def end_session(
    db: Database,
    desk: SessionDesk,
    principal: Principal,
    session_id: UUID,
    reason: str,
    meter_end_wh: Decimal | None = None,
) -> Row[Any]:
    """End a session by hand and return it; nothing is sent to the station, which may be gone for ever.

    What the station says afterwards is still kept, and its own stop corrects the session.
    Raises: NotFound, SessionOver, Invalid for a register below the start's, Unavailable.
    """
    require(principal, Right.CALL_STATIONS)
    async with db.tenant(principal.scope) as connection:
        row = await repository.find_session(connection, session_id)
    if row is None:
        raise NotFound(say("session_unknown", "there is no session {session}", session=session_id))
    if row.ended_at is not None:
        raise SessionOver(say("session_over", "the session is over already"))
    settling = Settling(row.transaction_ref, reason, principal.name, final=True, meter_end_wh=meter_end_wh)
    await desk.settle(row.station_id, settling)
    after = {"session": str(session_id), "reason": reason, "meter_end_wh": meter_end_wh}
    async with db.tenant(principal.scope) as connection:
        await keep_audit(connection, principal, "session.ended", row.identity, after=after)
        ended = await repository.find_session(connection, session_id)
    if ended is None:
        raise NotFound(f"the session {session_id} does not exist any more")
    return ended
