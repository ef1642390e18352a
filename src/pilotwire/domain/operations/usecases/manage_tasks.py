"""Looking at tasks, cancelling them, letting paused ones go on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func

from pilotwire.bus import LocalBus
from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.operations import queries
from pilotwire.domain.operations.errors import TaskOver
from pilotwire.domain.operations.events import TaskChanged, TaskQueued, TaskResumed
from pilotwire.domain.operations.model import TaskState
from pilotwire.domain.stations.queries import find_station_id

__all__ = [
    "cancel_task",
    "get_task",
    "list_commands",
    "list_station_commands",
    "list_tasks",
    "list_waves",
    "pause_task",
    "resume_task",
]


async def get_task(db: Database, principal: Principal, task_id: UUID) -> Row[Any]:
    """Get a task.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return _there(await queries.find_task(connection, task_id), task_id)


async def list_tasks(
    db: Database,
    principal: Principal,
    *,
    state: str | None,
    before: UUID | None,
    limit: int,
    name: str | None = None,
) -> Sequence[Row[Any]]:
    """List tasks (of one command by its `name`), the newest first; `before` is the last one of the previous page."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_tasks(connection, state, name, before, limit)


async def list_station_commands(
    db: Database, principal: Principal, identity: str, *, name: str | None, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """List what was commanded to a station, the newest first; `before` is the number of the last one seen.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        station_id = await find_station_id(connection, identity)
        if station_id is None:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
        return await queries.list_station_commands(connection, station_id, name, before, limit)


async def list_commands(
    db: Database, principal: Principal, task_id: UUID, *, state: str | None, after: int, limit: int
) -> Sequence[Row[Any]]:
    """List what became of a task at each station; `after` is the number of the previous page's last one.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        _there(await queries.find_task(connection, task_id), task_id)
        return await queries.list_commands(connection, task_id, state, after, limit)


async def cancel_task(db: Database, bus: LocalBus, principal: Principal, task_id: UUID) -> Row[Any]:
    """Cancel what a task has not sent yet; what is under way ends by itself.

    Raises: NotFound, TaskOver.
    """
    require(principal, Right.CALL_STATIONS)
    async with db.tenant(principal.scope) as connection:
        row = _there(await queries.lock_task(connection, task_id), task_id)
        if row.finished_at is not None or row.state == TaskState.CANCELLED:
            raise TaskOver(say("task_state_already", "the task is {state} already", state=row.state))
        count = await queries.cancel_queued(connection, task_id)
        cancelled = row.cancelled + count
        over = row.succeeded + row.failed + cancelled >= row.total
        row = await queries.update_task(
            connection,
            task_id,
            {"state": "cancelled", "cancelled": cancelled, "finished_at": func.now() if over else None},
        )
        await keep_audit(connection, principal, "task.cancelled", str(task_id), after={"cancelled": count})
    _tell(bus, row)
    return row


async def resume_task(db: Database, bus: LocalBus, principal: Principal, task_id: UUID) -> Row[Any]:
    """Let a paused task go on, without its stop rule from now on; a wave that could not pass is let pass.

    Raises: NotFound, TaskOver when it is not paused.
    """
    require(principal, Right.CALL_STATIONS)
    async with db.tenant(principal.scope) as connection:
        row = _there(await queries.lock_task(connection, task_id), task_id)
        if row.state != TaskState.PAUSED:
            raise TaskOver(say("task_not_paused", "the task is {state}, not paused", state=row.state))
        values: dict[str, Any] = {"state": "running", "stop_when_failed_percent": None, "pause_reason": ""}
        if row.pause_reason.startswith("wave ") and await queries.pass_wave(connection, task_id, row.wave):
            values["next_wave_at"] = func.now()
        row = await queries.update_task(connection, task_id, values)
        waiting = await queries.queued_stations(connection, task_id)
        await keep_audit(connection, principal, "task.resumed", str(task_id))
    _tell(bus, row)
    bus.publish(TaskResumed(task_id))
    bus.publish(TaskQueued(task_id, tuple(waiting)))
    return row


async def pause_task(db: Database, bus: LocalBus, principal: Principal, task_id: UUID) -> Row[Any]:
    """Pause a task: nothing more is sent until it is resumed.

    Raises: NotFound, TaskOver when it does not run.
    """
    require(principal, Right.CALL_STATIONS)
    async with db.tenant(principal.scope) as connection:
        row = _there(await queries.lock_task(connection, task_id), task_id)
        if row.state != TaskState.RUNNING:
            raise TaskOver(say("task_not_running", "the task is {state}, it does not run", state=row.state))
        values = {"state": "paused", "pause_reason": f"by {principal.name}"}
        row = await queries.update_task(connection, task_id, values)
        await keep_audit(connection, principal, "task.paused", str(task_id))
    _tell(bus, row)
    return row


async def list_waves(db: Database, principal: Principal, task_id: UUID) -> Sequence[Row[Any]]:
    """List the waves of a task; a task without waves has none.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        _there(await queries.find_task(connection, task_id), task_id)
        return await queries.list_waves(connection, task_id)


def _there(row: Row[Any] | None, task_id: UUID) -> Row[Any]:
    if row is None:
        raise NotFound(say("task_unknown", "there is no task {task}", task=task_id))
    return row


def _tell(bus: LocalBus, row: Row[Any]) -> None:
    counts = (row.total, row.succeeded, row.failed, row.wave, row.next_wave_at)
    bus.publish(TaskChanged(row.tenant_id, row.id, row.name, row.state, *counts))
