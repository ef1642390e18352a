"""Groups of stations in SQL, for people."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.stations.tables import station, station_group, station_group_member

__all__ = [
    "add_members",
    "delete_group",
    "find_group",
    "insert_group",
    "list_groups",
    "remove_members",
    "station_numbers",
    "update_group",
]

_GROUP = tuple(column for column in station_group.c if column.name != "tenant_id")
_SIZE: Any = (
    select(func.count())
    .where(station_group_member.c.group_id == station_group.c.id)
    .scalar_subquery()
    .label("stations")
)
_SHOWN: tuple[Any, ...] = (*_GROUP, _SIZE)


async def list_groups(
    connection: AsyncConnection, after: tuple[str, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """List groups by name, with the number of their stations."""
    query = select(*_SHOWN).order_by(station_group.c.name, station_group.c.id).limit(limit)
    if after is not None:
        name, group_id = after
        query = query.where(
            (station_group.c.name > name) | ((station_group.c.name == name) & (station_group.c.id > group_id))
        )
    return (await connection.execute(query)).all()


async def find_group(connection: AsyncConnection, group_id: UUID) -> Row[Any] | None:
    """Find a group."""
    query = select(*_SHOWN).where(station_group.c.id == group_id)
    return (await connection.execute(query)).one_or_none()


async def insert_group(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add a group."""
    await connection.execute(insert(station_group).values(**values))


async def update_group(connection: AsyncConnection, group_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a group."""
    await connection.execute(update(station_group).where(station_group.c.id == group_id).values(**values))


async def delete_group(connection: AsyncConnection, group_id: UUID) -> None:
    """Remove a group; its stations stay."""
    await connection.execute(delete(station_group).where(station_group.c.id == group_id))


async def station_numbers(connection: AsyncConnection, identities: Sequence[str]) -> dict[str, int]:
    """Give the numbers of the stations named, by identity."""
    query = select(station.c.identity, station.c.id).where(station.c.identity == func.any(list(identities)))
    return {row.identity: row.id for row in await connection.execute(query)}


async def add_members(
    connection: AsyncConnection, tenant_id: int, group_id: UUID, station_ids: Sequence[int]
) -> None:
    """Put stations into a group; those that are there stay."""
    rows = [
        {"group_id": group_id, "station_id": station_id, "tenant_id": tenant_id} for station_id in station_ids
    ]
    if rows:
        await connection.execute(upsert(station_group_member).on_conflict_do_nothing(), rows)


async def remove_members(connection: AsyncConnection, group_id: UUID, station_ids: Sequence[int]) -> None:
    """Take stations out of a group."""
    member = station_group_member.c
    await connection.execute(
        delete(station_group_member).where(
            member.group_id == group_id, member.station_id == func.any(list(station_ids))
        )
    )
