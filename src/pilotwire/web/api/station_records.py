"""What is known of a station besides its state: `/stations/{id}/time-line`, `/commands`, `/quirks`,
`/notes`."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field, StringConstraints

from pilotwire.domain.health.usecases.view_time_line import view_time_line
from pilotwire.domain.identity.model import Principal
from pilotwire.domain.operations.usecases import manage_tasks
from pilotwire.domain.stations.usecases import keep_notes
from pilotwire.domain.stations.usecases.view_stations import get_station
from pilotwire.web.api.fields import Given, Shown
from pilotwire.web.api.tasks import (
    CommandName,
    CommandResult,
    StationId,
    command_after,
    show_result,
    shown_parameters,
)
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["stations"])

Kind = Literal[
    "status", "connected", "disconnected", "security", "command", "session_started", "session_ended"
]
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("no NUL characters")
    return text


class Happening(Shown):
    """Something that happened at a station."""

    at: datetime
    kind: Kind
    what: str = Field(description="The status, the type of event, or the command.", examples=["faulted"])
    detail: str = Field(description="The error, the state of the command, why the session ended.")
    by: str = Field(description="Who gave the command.")
    evse_id: int | None
    task_id: UUID | None
    session_id: UUID | None


class StationCommand(CommandResult):
    """A command to one station, with what its task says of it."""

    task_id: UUID
    command: str = Field(examples=["update_firmware"])
    parameters: dict[str, Any]
    created_by: str
    note: str


class StationQuirk(Shown):
    """A way in which some stations differ. `switched` is what was decided by hand; null: its make decides."""

    name: str = Field(examples=["no_ping"])
    section: str
    summary: str
    applies: str = Field(description="To which stations it applies by itself.")
    active: bool
    switched: bool | None


class NewNote(Given):
    """Something that the next person should know."""

    text: Annotated[
        str,
        StringConstraints(min_length=1, max_length=4000, strip_whitespace=True),
        AfterValidator(_no_nul),
    ] = Field(examples=["The key for the cabinet is at the reception."])


class Note(Shown):
    """What somebody wrote down about a station."""

    id: UUID
    text: str
    created_by: str
    created_at: datetime


@router.get("/stations/{station_id}/time-line")
async def list_time_line(
    asking: Asking,
    services: Services,
    station_id: StationId,
    kind: Annotated[list[Kind] | None, Query(description="Only these kinds.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Happening]:
    """List connections, statuses, sessions, commands and security events of a station, the newest first."""
    before = decode_cursor(cursor, datetime, str) or (_END_OF_TIME, "")
    rows = await view_time_line(services.db, asking, station_id, kind or (), before, limit + 1)
    return make_page(rows, limit, _show_happening, lambda row: (row.at, row.key))


@router.get("/stations/{station_id}/commands")
async def list_station_commands(
    asking: Asking,
    services: Services,
    station_id: StationId,
    command: CommandName = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[StationCommand]:
    """List what was commanded to a station and what became of it, the newest first."""
    rows = await manage_tasks.list_station_commands(
        services.db,
        asking,
        station_id,
        name=command or None,
        before=command_after(cursor) or None,
        limit=limit + 1,
    )
    return make_page(rows, limit, lambda row: _show_command(row, asking), lambda row: (str(row.id),))


@router.get("/stations/{station_id}/quirks")
async def list_quirks(asking: Asking, services: Services, station_id: StationId) -> Page[StationQuirk]:
    """List the quirks that can be switched, and say which hold for a station. `quirk_switches` changes that."""
    row = (await get_station(services.db, services.caller, asking, station_id)).row
    found = services.quirks(row.vendor, row.model, row.firmware_version, row.quirk_switches)
    return Page[StationQuirk](items=[StationQuirk.model_validate(each) for each in found], next=None)


@router.get("/stations/{station_id}/notes")
async def list_notes(
    asking: Asking, services: Services, station_id: StationId, limit: Limit = 100, cursor: Cursor = None
) -> Page[Note]:
    """List the notes at a station, the newest first."""
    rows = await keep_notes.list_notes(
        services.db, asking, station_id, decode_cursor(cursor, UUID), limit + 1
    )
    return make_page(rows, limit, Note.model_validate, lambda row: (row.id,))


@router.post("/stations/{station_id}/notes", status_code=201)
async def add_note(asking: Asking, services: Services, station_id: StationId, body: NewNote) -> Note:
    """Write a note down at a station."""
    return Note.model_validate(
        await keep_notes.add_note(services.db, services.clock, asking, station_id, body.text)
    )


@router.delete("/stations/{station_id}/notes/{note_id}", status_code=204)
async def remove_note(asking: Asking, services: Services, station_id: StationId, note_id: UUID) -> None:
    """Remove a note. The audit trail keeps what it said."""
    await keep_notes.remove_note(services.db, asking, station_id, note_id)


def _show_happening(row: Any) -> Happening:
    kept = ("at", "kind", "what", "detail", "by", "task_id", "session_id")
    return Happening(evse_id=row.evse_no or None, **{name: getattr(row, name) for name in kept})


def _show_command(row: Any, asking: Principal) -> StationCommand:
    return StationCommand(
        **dict(show_result(row)),
        task_id=row.task_id,
        command=row.name,
        parameters=shown_parameters(row.command, asking),
        created_by=row.created_by,
        note=row.note,
    )
