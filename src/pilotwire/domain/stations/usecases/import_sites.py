"""Sites from a table and to a table. Contacts are not in it: they are a list of their own."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Invalid
from pilotwire.core.ids import new_uuid
from pilotwire.core.sheets import write_row
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.importing import (
    CellRefused,
    ImportReport,
    import_sheet,
    line_of_text,
    list_of,
    number,
)
from pilotwire.domain.stations import sheet_queries
from pilotwire.domain.stations.opening import hours_from_text, hours_to_text, read_hours
from pilotwire.domain.stations.site import checked_site, checked_tags, checked_zone

__all__ = ["SITE_COLUMNS", "export_sites", "import_sites"]

_PAGE = 500
_GRID = "grid_"
_RACE = CellRefused("was added by somebody else at this moment", "import the table again")
_NEW: Mapping[str, Any] = {
    "address": "", "city": "", "country": "", "latitude": None, "longitude": None, "time_zone": "UTC",
    "access_notes": "", "opening_hours": None, "contacts": [], "grid_connection": None, "tags": [],
}  # fmt: skip


def _country(cell: str) -> str:
    if cell and not (len(cell) == 2 and cell.isascii() and cell.isupper() and cell.isalpha()):
        raise CellRefused("is no country", "write the two letters of ISO 3166-1, such as DE")
    return cell


def _zone(cell: str) -> str:
    if cell:
        checked_zone(cell)
    return cell or "UTC"


def _notes(cell: str) -> str:
    if len(cell) > 4000:
        raise CellRefused(f"has {len(cell)} characters", "shorten it to 4000")
    return cell


def _hours(cell: str) -> Any:
    try:
        return msgspec.to_builtins(hours_from_text(cell))
    except Invalid as error:
        raise CellRefused(
            error.detail, "write such as: mon-fri 08:00-12:00,13:00-18:00; sat closed"
        ) from error


_AMPERES = number(0.1, 10_000)
_READ: Mapping[str, Any] = {
    "name": line_of_text(200, empty=False),
    "address": line_of_text(200),
    "city": line_of_text(200),
    "country": _country,
    "latitude": number(-90, 90),
    "longitude": number(-180, 180),
    "time_zone": _zone,
    "access_notes": _notes,
    "opening_hours": _hours,
    "grid_limit_l1_a": _AMPERES,
    "grid_limit_l2_a": _AMPERES,
    "grid_limit_l3_a": _AMPERES,
    "grid_limit_kw": number(0.1, 1_000_000),
    "grid_voltage_v": number(50, 50_000),
    "grid_metering_point": line_of_text(60),
    "tags": lambda cell: checked_tags(list_of(cell)),
}
SITE_COLUMNS = tuple(_READ)


class _Sites:
    kind = "sites"
    key = "name"
    columns = _READ
    secret: frozenset[str] = frozenset()

    def __init__(self, principal: Principal) -> None:
        self._principal = principal
        self._known: Mapping[str, Mapping[str, Any]] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []

    def identity(self, key: str) -> str:
        return key

    async def prepare(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        self._known = await sheet_queries.lock_sites(connection, [row["name"] for row in rows])

    def judge(self, values: Mapping[str, Any]) -> str:
        known = self._known.get(values["name"])
        before = {"id": new_uuid(), **_NEW} if known is None else known
        wanted = {name: value for name, value in values.items() if not name.startswith(_GRID)}
        grid = {name.removeprefix(_GRID): v for name, v in values.items() if name.startswith(_GRID)}
        if grid:
            whole = {**(before["grid_connection"] or {}), **grid}
            told = any(value not in (None, "") for value in whole.values())
            wanted["grid_connection"] = whole if told else None
        try:
            wanted = checked_site(wanted)
        except Invalid as error:
            raise CellRefused(error.detail, "mend the row") from error
        row = {**before, **wanted}
        if known is None:
            self._new.append(row)
            return "created"
        if all(_same(known[name], value) for name, value in wanted.items()):
            return "unchanged"
        self._changed.append(row)
        return "updated"

    async def write(self, connection: AsyncConnection, report: ImportReport) -> Mapping[str, CellRefused]:
        del report
        added = await sheet_queries.insert_sites(connection, self._principal.tenant_id, self._new)
        await sheet_queries.update_sites(connection, self._changed)
        return {row["name"]: _RACE for row in self._new if row["name"] not in added}

    def told(self) -> None:
        """Nobody keeps sites in memory."""


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12)
    return bool(one == other)


async def import_sites(
    db: Database, principal: Principal, data: bytes, *, dry_run: bool = False, skip_bad_rows: bool = False
) -> ImportReport:
    """Add and change sites by their name; columns that are not there stay as they are.

    Raises: Invalid when the table as a whole cannot be read.
    """
    require(principal, Right.CHANGE_STATIONS)
    importer = _Sites(principal)
    return await import_sheet(db, principal, importer, data, dry_run=dry_run, skip_bad_rows=skip_bad_rows)


async def export_sites(db: Database, principal: Principal) -> AsyncIterator[str]:
    """Give all sites as lines of CSV, in parts."""
    require(principal, Right.VIEW_NETWORK)
    yield write_row(SITE_COLUMNS)
    after = ""
    while True:
        async with db.tenant(principal.scope) as connection:
            rows = await sheet_queries.list_site_rows(connection, after, _PAGE)
        if not rows:
            return
        yield "".join(write_row(_cells(row)) for row in rows)
        after = rows[-1].name


def _cells(row: Any) -> list[str | float | None]:
    grid = row.grid_connection or {}
    hours = None if row.opening_hours is None else read_hours(row.opening_hours)
    written: dict[str, Any] = {"opening_hours": hours_to_text(hours), "tags": "; ".join(row.tags)}
    return [
        written[column]
        if column in written
        else grid.get(column.removeprefix(_GRID))
        if column.startswith(_GRID)
        else getattr(row, column)
        for column in SITE_COLUMNS
    ]
