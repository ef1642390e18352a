"""Logs that stations have delivered: `/logs`. The command `get_logs` asks for one."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from pilotwire.domain.transfers.usecases import manage_logs
from pilotwire.web.api.fields import Shown
from pilotwire.web.api.firmware import file_answer
from pilotwire.web.auth import Asking, Services
from pilotwire.web.file_streams import FileAnswer
from pilotwire.web.files import counter_of
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["firmware"])

LogId = Annotated[UUID, Path(description="The id of a log.")]
_FILE: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


class StationLog(Shown):
    """A log that a station has delivered; `number` is that of the command in its task."""

    id: UUID
    station_id: str
    number: int
    kind: str = Field(examples=["diagnostics"])
    file_name: str
    size_bytes: int
    sha256: str
    remote_address: str
    received_at: datetime


@router.get("/logs")
async def list_logs(
    asking: Asking,
    services: Services,
    station_id: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[StationLog]:
    """List logs, the newest first."""
    rows = await manage_logs.list_logs(
        services.db,
        asking,
        station_identity=station_id,
        before=decode_cursor(cursor, UUID),
        limit=limit + 1,
    )
    return make_page(rows, limit, _show, lambda row: (row.id,))


@router.get("/logs/{log_id}")
async def get_log(asking: Asking, services: Services, log_id: LogId) -> StationLog:
    """Get what is known of a log."""
    return _show(await manage_logs.get_log(services.db, asking, log_id))


@router.get(
    "/logs/{log_id}/content",
    response_model=None,
    responses={200: {"description": "The file.", "content": _FILE}},
)
async def get_log_content(asking: Asking, services: Services, log_id: LogId) -> FileAnswer:
    """Download a log. The audit trail says who did."""
    row, parts = await manage_logs.get_log_file(services.db, counter_of(services).store, asking, log_id)
    return file_answer(row.file_name, row.size_bytes, parts)


@router.delete("/logs/{log_id}", status_code=204)
async def remove_log(asking: Asking, services: Services, log_id: LogId) -> None:
    """Remove a log."""
    await manage_logs.remove_log(services.db, counter_of(services).store, asking, log_id)


def _show(row: Any) -> StationLog:
    return StationLog(
        id=row.id,
        station_id=row.identity,
        number=row.command_id,
        kind=row.kind,
        file_name=row.file_name,
        size_bytes=row.size_bytes,
        sha256=row.sha256.hex(),
        remote_address=row.remote_address,
        received_at=row.received_at,
    )
