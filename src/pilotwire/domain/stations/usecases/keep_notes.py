"""Notes at stations: what the next person should know."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.clock import Clock
from pilotwire.core.errors import NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import note_queries, queries

__all__ = ["add_note", "list_notes", "remove_note"]


async def list_notes(
    db: Database, principal: Principal, identity: str, before: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List the notes at a station, the newest first; `before` is the last one of the previous page.

    Raises: NotFound.
    """
    require(principal, Right.KEEP_NOTES)
    async with db.tenant(principal.scope) as connection:
        return await note_queries.list_notes(connection, await _station(connection, identity), before, limit)


async def add_note(db: Database, clock: Clock, principal: Principal, identity: str, text: str) -> Row[Any]:
    """Write a note down.

    Raises: NotFound.
    """
    require(principal, Right.KEEP_NOTES)
    async with db.tenant(principal.scope) as connection:
        row = await note_queries.insert_note(
            connection,
            {
                "id": new_uuid(),
                "tenant_id": principal.tenant_id,
                "station_id": await _station(connection, identity),
                "text": text,
                "created_by": principal.name,
                "created_at": clock(),
            },
        )
        await keep_audit(connection, principal, "station.note_added", identity, after={"text": text})
        return row


async def remove_note(db: Database, principal: Principal, identity: str, note_id: UUID) -> None:
    """Remove a note; the audit trail keeps what it said.

    Raises: NotFound.
    """
    require(principal, Right.KEEP_NOTES)
    async with db.tenant(principal.scope) as connection:
        row = await note_queries.delete_note(connection, await _station(connection, identity), note_id)
        if row is None:
            raise NotFound(
                say("note_unknown", "'{station}' has no note {note}", station=identity, note=note_id)
            )
        await keep_audit(
            connection,
            principal,
            "station.note_removed",
            identity,
            before={"text": row.text, "created_by": row.created_by},
        )


async def _station(connection: AsyncConnection, identity: str) -> int:
    station_id = await queries.find_station_id(connection, identity)
    if station_id is None:
        raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
    return station_id
