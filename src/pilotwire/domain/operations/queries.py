"""Tasks and commands in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.texts import Text
from pilotwire.domain.operations.model import SAID
from pilotwire.domain.operations.tables import command, task, task_wave
from pilotwire.domain.stations.tables import site, station

__all__ = [
    "Place",
    "cancel_queued",
    "find_task",
    "insert_commands",
    "insert_task",
    "insert_waves",
    "is_installed_by_a_task",
    "list_commands",
    "list_places",
    "list_station_commands",
    "list_tasks",
    "list_unsuccessful",
    "list_waves",
    "lock_task",
    "pass_wave",
    "queued_stations",
    "update_task",
]

_LATER = timedelta(days=3650)
_UNSUCCESSFUL = ("rejected", "failed", "timed_out", "expired", "unknown", "cancelled")


@dataclass(frozen=True, slots=True)
class Place:
    """One station's line in a task: refused from the start when it has a `refusal`."""

    station_id: int
    not_before: datetime | None = None
    refusal: str | Text = ""
    wave: int = 0


async def list_places(connection: AsyncConnection, identities: Sequence[str]) -> dict[str, Row[Any]]:
    """Give number, last OCPP version, make and time zone of the stations named, by identity."""
    columns: tuple[Any, ...] = (
        *(station.c[name] for name in ("identity", "id", "ocpp_version", "vendor", "model")),
        func.coalesce(site.c.time_zone, "UTC").label("time_zone"),
    )
    query = (
        select(*columns)
        .outerjoin(site, site.c.id == station.c.site_id)
        .where(station.c.identity == func.any(list(identities)))
    )
    return {row.identity: row for row in await connection.execute(query)}


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
            "detail": str(place.refusal),
            "result": {SAID: place.refusal.reason()} if isinstance(place.refusal, Text) else null(),
            "not_before": place.not_before,
            "wave": place.wave,
            # The time of a later wave is counted from its opening.
            "expires_at": expires_at if place.wave <= 1 else expires_at + _LATER,
            "finished_at": func.now() if place.refusal else None,
        }
        for place in places
    ]
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        await connection.execute(insert(command).values(part))


async def insert_waves(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the waves of a task."""
    await connection.execute(insert(task_wave).values(list(rows)))


async def list_waves(connection: AsyncConnection, task_id: UUID) -> Sequence[Row[Any]]:
    """List the waves of a task."""
    query = select(task_wave).where(task_wave.c.task_id == task_id).order_by(task_wave.c.number)
    return (await connection.execute(query)).all()


async def pass_wave(connection: AsyncConnection, task_id: UUID, number: int) -> bool:
    """Let a wave pass that has not; True when it did so just now and another one follows."""
    query = (
        update(task_wave)
        .where(task_wave.c.task_id == task_id, task_wave.c.number == number, task_wave.c.passed_at.is_(None))
        .values(passed_at=func.now())
        .returning(task_wave.c.number)
    )
    if (await connection.scalar(query)) is None:
        return False
    last = select(func.max(task_wave.c.number)).where(task_wave.c.task_id == task_id)
    return bool(await connection.scalar(last) != number)


async def is_installed_by_a_task(connection: AsyncConnection, image_id: UUID) -> bool:
    """Tell whether a task that is not over installs firmware."""
    query = select(task.c.id).where(
        task.c.finished_at.is_(None), task.c.command["image_id"].astext == str(image_id)
    )
    return await connection.scalar(query.limit(1)) is not None


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
    connection: AsyncConnection, state: str | None, name: str | None, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List tasks, the newest first, with the station of those of one; `name` is that of their command."""
    only = (
        select(station.c.identity)
        .join(command, command.c.station_id == station.c.id)
        .where(command.c.task_id == task.c.id, task.c.total == 1)
        .limit(1)
        .scalar_subquery()
    )
    query = select(task, only.label("identity"))
    if name is not None:
        query = query.where(task.c.name == name)
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


async def list_station_commands(
    connection: AsyncConnection, station_id: int, name: str | None, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """List the commands to a station with what their tasks say, the newest first."""
    query = (
        select(command, station.c.identity, task.c.name, task.c.command, task.c.note, task.c.created_by)
        .join(station, station.c.id == command.c.station_id)
        .join(task, task.c.id == command.c.task_id)
        .where(command.c.station_id == station_id)
    )
    if name is not None:
        query = query.where(task.c.name == name)
    if before is not None:
        query = query.where(command.c.id < before)
    return (await connection.execute(query.order_by(command.c.id.desc()).limit(limit))).all()


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
