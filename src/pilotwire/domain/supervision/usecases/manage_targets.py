"""The targets of sessions: set, changed, taken away, looked at."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Invalid, NotFound
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require, system_principal
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.operations.errors import TaskOver
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.operations.usecases.manage_tasks import cancel_task
from pilotwire.domain.sessions import repository as sessions
from pilotwire.domain.sessions.errors import SessionOver
from pilotwire.domain.sessions.target import Target
from pilotwire.domain.supervision.events import TargetChanged
from pilotwire.domain.supervision.model import TargetState
from pilotwire.domain.supervision.tables import session_watch

__all__ = ["clear_target", "list_watches", "read_target", "set_target"]


def read_target(given: Any) -> Target:
    """Read a target as people give it.

    Raises: Invalid with the reason.
    """
    try:
        return msgspec.convert(given, Target)
    except (msgspec.ValidationError, ValueError) as error:
        text, _, place = str(error).partition(" - at `$.")
        raise Invalid(f"{place.rstrip('`')}: {text}" if place else text) from error


async def set_target(means: Means, principal: Principal, session_id: UUID, target: Target) -> None:
    """Give a running session a target, or another one; a stop for the former that still waits is called back.

    Raises: NotFound, SessionOver, Invalid.
    """
    if target.until is not None and target.until <= means.clock():
        raise Invalid("until: this moment has passed; to stop the session now use the command stop_charging")
    await _change(means, principal, session_id, target)


async def clear_target(means: Means, principal: Principal, session_id: UUID) -> None:
    """Take a session's target away: it goes on until its driver ends it.

    Repeats: does nothing, and neither when the session is over.
    Raises: NotFound.
    """
    with contextlib.suppress(SessionOver):
        await _change(means, principal, session_id, None)


async def list_watches(
    db: Database, principal: Principal, session_ids: Sequence[UUID]
) -> Mapping[UUID, Row[Any]]:
    """Give what is watched of some sessions: targets and full cars."""
    require(principal, Right.VIEW_NETWORK)
    if not session_ids:
        return {}
    async with db.tenant(principal.scope) as connection:
        query = select(session_watch).where(session_watch.c.session_id.in_(session_ids))
        return {row.session_id: row for row in await connection.execute(query)}


async def _change(means: Means, principal: Principal, session_id: UUID, target: Target | None) -> None:
    require(principal, Right.CALL_STATIONS)
    plain = None if target is None else msgspec.to_builtins(target)
    async with means.db.tenant(principal.scope) as connection:
        row = await sessions.find_session(connection, session_id)
        if row is None:
            raise NotFound(f"there is no session {session_id}")
        if row.ended_at is not None:
            raise SessionOver("the session is over already: there is nothing left to stop")
        former = await _replace(connection, principal, row, plain)
        change = {"session": str(session_id), "target": plain}
        await keep_audit(connection, principal, "session.target", row.identity, after=change)
        detail = {"target": plain, "by": principal.name}
        await sessions.note(connection, session_id, principal.tenant_id, "target", means.clock(), detail)
    if former is not None and former.target_state == TargetState.STOPPING and former.task_id is not None:
        with contextlib.suppress(NotFound, TaskOver):  # it was sent already: the station may still stop
            await cancel_task(means.db, means.bus, system_principal(principal.tenant_id), former.task_id)
    means.bus.publish(
        TargetChanged(
            principal.tenant_id, row.station_id, row.identity, session_id, row.evse_no, means.clock(), detail
        )
    )


async def _replace(
    connection: AsyncConnection, principal: Principal, session: Row[Any], target: dict[str, Any] | None
) -> Row[Any] | None:
    query = select(session_watch).where(session_watch.c.session_id == session.id).with_for_update()
    former = (await connection.execute(query)).one_or_none()
    values: dict[str, Any] = {
        "target": target,
        "target_state": (TargetState.CANCELLED if target is None else TargetState.WAITING).value,
        "target_by": principal.name,
        "target_reached": None,
        "target_reached_at": None,
        "target_detail": "",
        "task_id": None,
        "attempts": 0,
        "next_at": None,
    }
    keys = {"session_id": session.id, "tenant_id": principal.tenant_id, "station_id": session.station_id}
    statement = insert(session_watch).values(**keys, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["session_id"], set_=values))
    return former
