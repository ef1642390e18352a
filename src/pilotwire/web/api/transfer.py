"""Many things at once, as tables: `/imports`, `/exports`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from pilotwire.domain.access.usecases.import_tokens import export_tokens, import_tokens
from pilotwire.domain.stations.usecases.import_sites import export_sites, import_sites
from pilotwire.domain.stations.usecases.import_stations import export_stations, import_stations
from pilotwire.web.api.fields import Shown
from pilotwire.web.auth import Asking, Services

__all__ = ["IMPORT_BYTES", "IMPORT_PREFIX", "router"]

router = APIRouter(prefix="/api/v1", tags=["transfer"])

IMPORT_PREFIX = "/api/v1/imports/"
IMPORT_BYTES = 32 * 1024 * 1024

Kind = Literal["stations", "tokens", "sites"]
_CSV = {"text/csv": {"schema": {"type": "string"}}}


class RowFault(Shown):
    """What is wrong with a row, and what to do; `column` is empty when it is the row as a whole."""

    line: int = Field(examples=[17])
    column: str = Field(examples=["security_profile"])
    value: str
    problem: str
    advice: str


class ImportReport(Shown):
    """What came of a table, or in a dry run would come of it; `applied` says whether anything was kept.

    The first thousand errors are listed. `passwords` are those that were generated for new stations: they are shown
    this once.
    """

    kind: Kind
    dry_run: bool
    applied: bool
    rows: int
    created: int
    updated: int
    unchanged: int
    failed: int
    errors: list[RowFault]
    passwords: dict[str, str]


@router.post("/imports/{kind}", openapi_extra={"requestBody": {"required": True, "content": _CSV}})
async def import_table(
    request: Request,
    asking: Asking,
    services: Services,
    kind: Kind,
    dry_run: Annotated[bool, Query(description="Do everything and take it back.")] = False,
    on_error: Annotated[
        Literal["abort", "skip"], Query(description="Keep nothing when a row is bad, or leave that row out.")
    ] = "abort",
) -> ImportReport:
    """Add and change things by their key (id, uid, name) from a table in CSV; doing it again changes nothing.

    The answer is 200 also when rows are bad: look at `applied` and `errors`.
    """
    data, skip = await request.body(), on_error == "skip"
    if kind == "stations":
        report = await import_stations(
            services.db, services.bus, services.pepper, asking, data, dry_run=dry_run, skip_bad_rows=skip
        )
    elif kind == "tokens":
        report = await import_tokens(
            services.db, services.bus, asking, data, dry_run=dry_run, skip_bad_rows=skip
        )
    else:
        report = await import_sites(services.db, asking, data, dry_run=dry_run, skip_bad_rows=skip)
    names = (name for name in ImportReport.model_fields if name != "passwords")
    values: dict[str, Any] = {name: getattr(report, name) for name in names}
    return ImportReport(**values, passwords=report.secrets)


@router.get("/exports/{kind}.csv", response_class=StreamingResponse, responses={200: {"content": _CSV}})
async def export_table(asking: Asking, services: Services, kind: Kind) -> StreamingResponse:
    """Give all of a kind as a table in CSV, as `/imports` takes it; passwords are not in it."""
    exports = {"stations": export_stations, "tokens": export_tokens, "sites": export_sites}
    lines = exports[kind](services.db, asking)
    first = await anext(lines)  # so that a refusal is a problem, not a broken file
    return StreamingResponse(
        _with(first, lines),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{kind}.csv"'},
    )


async def _with(first: str, lines: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for part in lines:
        yield part
