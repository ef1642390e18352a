"""Notes at stations in SQL, for people."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.stations.tables import station_note

__all__ = ["delete_note", "insert_note", "list_notes"]

_SHOWN: tuple[Any, ...] = tuple(column for column in station_note.c if column.name != "tenant_id")


async def insert_note(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add a note."""
    return (await connection.execute(insert(station_note).values(**values).returning(*_SHOWN))).one()


async def list_notes(
    connection: AsyncConnection, station_id: int, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List the notes at a station, the newest first."""
    query = select(*_SHOWN).where(station_note.c.station_id == station_id)
    if before is not None:
        query = query.where(station_note.c.id < before)
    return (await connection.execute(query.order_by(station_note.c.id.desc()).limit(limit))).all()


async def delete_note(connection: AsyncConnection, station_id: int, note_id: UUID) -> Row[Any] | None:
    """Remove a note; give what it was."""
    query = delete(station_note).where(station_note.c.id == note_id, station_note.c.station_id == station_id)
    return (await connection.execute(query.returning(*_SHOWN))).one_or_none()
