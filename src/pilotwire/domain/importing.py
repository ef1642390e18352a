"""Taking a table of many things at once: all rows or none, or the good rows alone; again and again with one result."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Invalid
from pilotwire.core.sheets import Sheet, SheetRow, read_sheet
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal
from pilotwire.domain.identity.repository import keep_audit

__all__ = [
    "CellRefused",
    "ImportReport",
    "Importer",
    "RowFault",
    "choice",
    "import_sheet",
    "line_of_text",
    "list_of",
    "number",
]

_MOST_FAULTS = 1000


class CellRefused(ValueError):
    """A cell has a value that cannot be: what is wrong, and what to do."""

    def __init__(self, problem: str, advice: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row, and what to do; `column` is empty when it is the row as a whole."""

    line: int
    column: str
    value: str
    problem: str
    advice: str


@dataclass(slots=True)
class ImportReport:
    """What came of a table, or would come of it in a dry run. `secrets` are told this once."""

    kind: str
    dry_run: bool
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    applied: bool = False
    errors: list[RowFault] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def refuse(self, line: int, column: str, value: str, refusal: CellRefused) -> None:
        """Note a fault, the first thousand with their words."""
        if len(self.errors) < _MOST_FAULTS:
            self.errors.append(RowFault(line, column, value[:100], refusal.problem, refusal.advice))


class Importer(Protocol):
    """One kind of thing that can be imported."""

    kind: str
    key: str
    """The column that says which thing a row is of."""
    columns: Mapping[str, Callable[[str], Any] | None]
    """How to read a cell of each column; None: exported, and without effect here."""
    secret: frozenset[str]
    """Columns whose cells are never repeated."""

    def identity(self, key: str) -> str:
        """Give the form in which two keys are the same."""
        ...

    async def prepare(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Read what there is of the rows' things."""
        ...

    def judge(self, values: Mapping[str, Any]) -> str:
        """Plan a row; return `created`, `updated` or `unchanged`.

        Raises: CellRefused.
        """
        ...

    async def write(self, connection: AsyncConnection, report: ImportReport) -> Mapping[str, CellRefused]:
        """Write what was planned; return the keys that the database refused."""
        ...

    def told(self) -> None:
        """Tell others, after the commit."""
        ...


async def import_sheet(
    db: Database,
    principal: Principal,
    importer: Importer,
    data: bytes,
    *,
    dry_run: bool,
    skip_bad_rows: bool,
) -> ImportReport:
    """Import a table.

    A dry run does everything and takes it back. Without `skip_bad_rows` one bad row keeps all others out.
    Repeats: rows that say what holds already are counted as unchanged.
    Raises: Invalid when the table as a whole cannot be read.
    """
    # In a thread: a table of many rows must not hold up the stations.
    sheet = await asyncio.to_thread(read_sheet, data, importer.columns, (importer.key,))
    report = ImportReport(importer.kind, dry_run, rows=len(sheet.rows))
    rows = await asyncio.to_thread(_read_rows, importer, sheet, report)
    async with db.tenant(principal.scope) as connection:
        await importer.prepare(connection, [values for _, values in rows])
        lines = await asyncio.to_thread(_judge_rows, importer, rows, report)
        wanted = skip_bad_rows or not report.failed
        if wanted or dry_run:
            savepoint = await connection.begin_nested()
            refused = await importer.write(connection, report)
            for key, refusal in refused.items():
                line, outcome = lines[key]
                setattr(report, outcome, getattr(report, outcome) - 1)
                report.failed += 1
                report.refuse(line, importer.key, key, refusal)
            wanted = skip_bad_rows or not report.failed
            if dry_run or not wanted:
                await savepoint.rollback()
        report.applied = wanted and not dry_run
        if report.applied and report.created + report.updated:
            counts = {name: getattr(report, name) for name in ("rows", "created", "updated", "failed")}
            await keep_audit(
                connection, principal, f"{importer.kind}.imported", f"{report.rows} rows", after=counts
            )
    report.errors.sort(key=lambda fault: fault.line)
    if report.applied:
        importer.told()
    else:
        report.secrets = {}
    return report


def _read_rows(importer: Importer, sheet: Sheet, report: ImportReport) -> list[tuple[int, dict[str, Any]]]:
    good: list[tuple[int, dict[str, Any]]] = []
    seen: dict[str, int] = {}
    for row in sheet.rows:
        values = _values(importer, row, report)
        if values is None:
            report.failed += 1
            continue
        same = importer.identity(values[importer.key])
        if same in seen:
            report.failed += 1
            twice = CellRefused(f"is in line {seen[same]} already", "keep one of the rows")
            report.refuse(row.line, importer.key, row.cells[importer.key], twice)
            continue
        seen[same] = row.line
        good.append((row.line, values))
    return good


def _values(importer: Importer, row: SheetRow, report: ImportReport) -> dict[str, Any] | None:
    if row.surplus:
        why = CellRefused(
            f"has {row.surplus} cells more than the first line",
            "put texts with separators in quotation marks",
        )
        report.refuse(row.line, "", "", why)
        return None
    values: dict[str, Any] = {}
    good = True
    for column, cell in row.cells.items():
        read = importer.columns[column]
        if read is None:
            continue
        try:
            values[column] = read(cell)
        except CellRefused as refusal:
            good = False
            report.refuse(row.line, column, "" if column in importer.secret else cell, refusal)
        except Invalid as refusal:
            good = False
            shown = "" if column in importer.secret else cell
            report.refuse(row.line, column, shown, CellRefused(refusal.detail, "mend the cell"))
    return values if good else None


def _judge_rows(
    importer: Importer, rows: Sequence[tuple[int, Mapping[str, Any]]], report: ImportReport
) -> dict[str, tuple[int, str]]:
    lines: dict[str, tuple[int, str]] = {}
    for line, values in rows:
        try:
            outcome = importer.judge(values)
        except CellRefused as refusal:
            report.failed += 1
            report.refuse(line, importer.key, str(values[importer.key]), refusal)
            continue
        setattr(report, outcome, getattr(report, outcome) + 1)
        lines[importer.identity(values[importer.key])] = (line, outcome)
    return lines


# ---- cells ----------------------------------------------------------------------------------------------------


def choice(*allowed: str, empty: str) -> Callable[[str], str]:
    """Read one of several words; an empty cell is `empty`."""

    def read(cell: str) -> str:
        word = cell.casefold() or empty
        if word not in allowed:
            raise CellRefused("is none of the words allowed", f"write one of {', '.join(allowed)}")
        return word

    return read


def number(least: float, most: float) -> Callable[[str], float | None]:
    """Read a number with a point or a decimal comma; an empty cell is None."""

    def read(cell: str) -> float | None:
        if not cell:
            return None
        try:
            value = float(cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell)
        except ValueError:
            raise CellRefused("is no number", f"write a number from {least:g} to {most:g}") from None
        if not least <= value <= most:
            raise CellRefused("is out of range", f"write a number from {least:g} to {most:g}")
        return value

    return read


def line_of_text(longest: int, *, empty: bool = True) -> Callable[[str], str]:
    """Read a text of one line."""

    def read(cell: str) -> str:
        if not cell and not empty:
            raise CellRefused("is empty", "give it a value, or take the row out")
        if len(cell) > longest:
            raise CellRefused(f"has {len(cell)} characters", f"shorten it to {longest}")
        if not cell.isprintable():
            raise CellRefused("has characters that cannot be printed", "write it in one line without them")
        return cell

    return read


def list_of(cell: str) -> list[str]:
    """Read words that are separated by semicolons."""
    return [word.strip() for word in cell.split(";") if word.strip()]
