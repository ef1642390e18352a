"""What a driver or an operator wants of a session: how much energy, until when, how urgently."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.events import WishChanged
from pilotwire.domain.energy.wishes import Wish, merge_wishes
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.sessions import repository as sessions
from pilotwire.domain.sessions.errors import SessionOver

__all__ = ["SessionWish", "forget_wish", "get_wish", "set_wish"]


@dataclass(frozen=True, slots=True)
class SessionWish:
    """What a session wants, in all and by who said it."""

    session_id: UUID
    wish: Wish
    said: dict[str, dict[str, Any]]


async def get_wish(db: Database, principal: Principal, session_id: UUID) -> SessionWish:
    """Get what a session wants. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        if await sessions.find_session(connection, session_id) is None:
            raise NotFound(say("session_unknown", "there is no session {session}", session=session_id))
        return await _read(connection, session_id)


async def set_wish(  # noqa: PLR0913 - three are what is wanted, by name
    db: Database,
    bus: LocalBus,
    clock: Clock,
    principal: Principal,
    session_id: UUID,
    *,
    source: Literal["operator", "driver"],
    energy_wh: float | None,
    departure_at: datetime | None,
    priority: int | None,
) -> SessionWish:
    """Say what a running session wants; what is None stays unsaid by this source.

    Raises: NotFound, SessionOver, Invalid.
    """
    require(principal, Right.CALL_STATIONS)
    if departure_at is not None and departure_at <= clock():
        raise Invalid("departure_at lies in the past")
    if priority is not None and source == "driver":
        raise Invalid("priority is for operators to give")
    async with db.tenant(principal.scope) as connection:
        row = await sessions.find_session(connection, session_id)
        if row is None:
            raise NotFound(say("session_unknown", "there is no session {session}", session=session_id))
        if row.ended_at is not None:
            raise SessionOver(say("session_ended", "the session has ended already"))
        await queries.keep_wish(
            connection,
            {
                "session_id": session_id,
                "source": source,
                "tenant_id": principal.tenant_id,
                "energy_wh": energy_wh,
                "departure_at": departure_at,
                "priority": priority,
                "details": {},
                "changed_by": principal.name,
            },
        )
        found = await _read(connection, session_id)
    bus.publish(WishChanged(principal.tenant_id, session_id))
    return found


async def forget_wish(db: Database, bus: LocalBus, principal: Principal, session_id: UUID) -> SessionWish:
    """Take back what people have said of a session; what its car has said stays. Raises: NotFound."""
    require(principal, Right.CALL_STATIONS)
    async with db.tenant(principal.scope) as connection:
        if await sessions.find_session(connection, session_id) is None:
            raise NotFound(say("session_unknown", "there is no session {session}", session=session_id))
        await queries.delete_wish(connection, session_id, ("operator", "driver"))
        found = await _read(connection, session_id)
    bus.publish(WishChanged(principal.tenant_id, session_id))
    return found


async def _read(connection: Any, session_id: UUID) -> SessionWish:
    said = {}
    for row in await queries.list_wishes(connection, session_id):
        fields = {"energy_wh": row.energy_wh, "departure_at": row.departure_at, "priority": row.priority}
        said[row.source] = {**row.details, **{k: v for k, v in fields.items() if v is not None}}
    return SessionWish(session_id, merge_wishes(said.items()), said)
