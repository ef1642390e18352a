"""Tasks and commands in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.operations.tables import command, task
from pilotwire.domain.stations.tables import station

__all__ = [
    "Place",
    "cancel_queued",
    "find_task",
    "insert_commands",
    "insert_task",
    "list_commands",
    "list_places",
    "list_tasks",
    "list_unsuccessful",
    "lock_task",
    "queued_stations",
    "update_task",
]

_UNSUCCESSFUL = ("rejected", "failed", "timed_out", "expired", "unknown", "cancelled")


@dataclass(frozen=True, slots=True)
class Place:
    """One station's line in a task: refused from the start when it has a `refusal`."""

    station_id: int
    not_before: datetime | None = None
    refusal: str = ""


async def list_places(
    connection: AsyncConnection, identities: Sequence[str]
) -> dict[str, tuple[int, str | None]]:
    """Give number and last OCPP version of the stations named, by identity."""
    query = select(station.c.identity, station.c.id, station.c.ocpp_version).where(
        station.c.identity == func.any(list(identities))
    )
    return {row.identity: (row.id, row.ocpp_version) for row in await connection.execute(query)}


async def insert_task(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add a task."""
    await connection.execute(insert(task).values(**values))


async def insert_commands(
    connection: AsyncConnection, tenant_id: int, task_id: UUID, expires_at: datetime, places: Sequence[Place]
) -> None:
    """Add a command for each place, in their order."""
    rows = [
        {
            "tenant_id": tenant_id,
            "task_id": task_id,
            "station_id": place.station_id,
            "state": "rejected" if place.refusal else "queued",
            "outcome": "not_supported" if place.refusal else "",
            "detail": place.refusal,
            "not_before": place.not_before,
            "expires_at": expires_at,
            "finished_at": func.now() if place.refusal else None,
        }
        for place in places
    ]
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        await connection.execute(insert(command).values(part))


async def find_task(connection: AsyncConnection, task_id: UUID) -> Row[Any] | None:
    """Find a task."""
    return (await connection.execute(select(task).where(task.c.id == task_id))).one_or_none()


async def lock_task(connection: AsyncConnection, task_id: UUID) -> Row[Any] | None:
    """Find a task, and hold it until the end of the transaction."""
    query = select(task).where(task.c.id == task_id).with_for_update()
    return (await connection.execute(query)).one_or_none()


async def update_task(connection: AsyncConnection, task_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """Change a task that is known to exist."""
    query = update(task).where(task.c.id == task_id).values(**values).returning(*task.c)
    return (await connection.execute(query)).one()


async def list_tasks(
    connection: AsyncConnection, state: str | None, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List tasks, the newest first."""
    query = select(task)
    if state is not None:
        query = query.where(task.c.state == state)
    if before is not None:
        query = query.where(task.c.id < before)
    return (await connection.execute(query.order_by(task.c.id.desc()).limit(limit))).all()


async def list_commands(
    connection: AsyncConnection, task_id: UUID, state: str | None, after: int, limit: int
) -> Sequence[Row[Any]]:
    """List a task's commands in the order of their making, each with its station's identity."""
    query = (
        select(command, station.c.identity)
        .join(station, station.c.id == command.c.station_id)
        .where(command.c.task_id == task_id, command.c.id > after)
    )
    if state is not None:
        query = query.where(command.c.state == state)
    return (await connection.execute(query.order_by(command.c.id).limit(limit))).all()


async def list_unsuccessful(connection: AsyncConnection, task_id: UUID) -> list[str]:
    """Give the identities of the stations where a task did not succeed."""
    query = (
        select(station.c.identity)
        .join(command, station.c.id == command.c.station_id)
        .where(command.c.task_id == task_id, command.c.state.in_(_UNSUCCESSFUL))
        .order_by(command.c.id)
    )
    return list((await connection.scalars(query)).all())


async def queued_stations(connection: AsyncConnection, task_id: UUID) -> list[int]:
    """Give the stations for which a task's commands still wait."""
    query = select(command.c.station_id).where(command.c.task_id == task_id, command.c.state == "queued")
    return list((await connection.scalars(query)).all())


async def cancel_queued(connection: AsyncConnection, task_id: UUID) -> int:
    """Cancel what has not been sent; return how many."""
    query = (
        update(command)
        .where(command.c.task_id == task_id, command.c.state == "queued")
        .values(state="cancelled", outcome="cancelled", finished_at=func.now())
    )
    return (await connection.execute(query)).rowcount
