"""Tables as CSV: read as people's spreadsheets write them, written so that a spreadsheet runs nothing.

A cell of text that a spreadsheet would take for a formula gets an apostrophe in front, which is taken off again when
the table is read back (OWASP, CSV Injection).
"""

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from pilotwire.core.errors import Invalid

__all__ = ["Sheet", "SheetRow", "plain_text", "read_sheet", "write_row"]

MOST_ROWS = 100_000
_LONGEST_CELL = 20_000
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row by the names of its columns; `line` is where it begins in the file, `surplus` how many cells it has too many."""

    line: int
    cells: dict[str, str]
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with a header."""

    columns: tuple[str, ...]
    rows: list[SheetRow] = field(default_factory=list)


def read_sheet(data: bytes, known: Collection[str], needed: Collection[str]) -> Sheet:
    """Read a table in UTF-8, separated by commas, semicolons or tabs; empty rows are left out.

    Raises: Invalid when it is no such table, or a column is unknown, missing or there twice.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the file is not UTF-8 (byte {error.start + 1}); save it as 'CSV UTF-8'") from error
    if "\0" in text:
        raise Invalid("the file has a NUL character; save it as CSV")
    head = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[SheetRow] = []
    try:
        before = 0
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _header(cells, known, needed)
                continue
            if len(rows) >= MOST_ROWS:
                raise Invalid(f"the file has more than {MOST_ROWS} rows; divide it")
            rows.append(_row(line, columns, cells))
    except csv.Error as error:
        raise Invalid(
            f"line {reader.line_num}: not valid CSV ({error}); is a quotation mark left open?"
        ) from error
    if not columns:
        raise Invalid(f"the file is empty; its first line names the columns: {', '.join(known)}")
    return Sheet(columns, rows)


def _header(cells: Sequence[str], known: Collection[str], needed: Collection[str]) -> tuple[str, ...]:
    columns = tuple(cell.strip().casefold() for cell in cells)
    unknown = [column for column in columns if column not in known]
    if unknown:
        raise Invalid(f"there is no column '{unknown[0][:60]}'; there are {', '.join(known)}")
    missing = [column for column in needed if column not in columns]
    if missing:
        raise Invalid(f"the column '{missing[0]}' is missing in the first line")
    if len(set(columns)) != len(columns):
        raise Invalid("a column is there twice")
    return columns


def _row(line: int, columns: Sequence[str], cells: Sequence[str]) -> SheetRow:
    surplus = max(0, len(cells) - len(columns))
    if any(cell.strip() for cell in cells[len(columns) :]) is False:
        surplus = 0  # trailing separators are a habit of spreadsheets
    given = [*cells[: len(columns)], *[""] * (len(columns) - len(cells))]
    found = {
        column: plain_text(cell.strip()[:_LONGEST_CELL]) for column, cell in zip(columns, given, strict=True)
    }
    return SheetRow(line, found, surplus)


def plain_text(cell: str) -> str:
    """Take off the apostrophe that `write_row` puts in front of a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def write_row(cells: Iterable[str | float | int | None]) -> str:
    """Write a row; numbers stay numbers, a text that begins like a formula is kept from being one."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([_guarded(cell) for cell in cells])
    return out.getvalue()


def _guarded(cell: str | float | None) -> str | float | int:
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return "'" + cell
    return cell
