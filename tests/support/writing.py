"""Entries for the group-commit writer that remember their fate, and a table of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec

from pilotwire.db.bundle import Writing
from pilotwire.db.writer import Entry, GroupWriter, Sink

__all__ = ["LINE_TABLE", "NAME", "Line", "Said", "running_writer", "texts", "write_lines"]

NAME = "test writer"
LINE_TABLE = (
    "CREATE TABLE line"
    " (id int GENERATED ALWAYS AS IDENTITY, station_id int, text text CHECK (text <> 'poison'))"
)


class Line(msgspec.Struct):
    """A row of the tests' own table, which refuses the text 'poison'."""

    station_id: int
    text: str


async def write_lines(connection: Writing, records: list[Line]) -> None:
    """The sink of lines."""
    await connection.execute(
        "INSERT INTO line (station_id, text) SELECT * FROM unnest($1::int[], $2::text[])",
        [record.station_id for record in records],
        [record.text for record in records],
    )


_SINKS: dict[type, Sink] = {Line: write_lines}


class Said(Entry):
    """An entry that remembers its fate."""

    def __init__(self, text: str, station_id: int = 1, epoch: int = 0) -> None:
        super().__init__(station_id, epoch, [Line(station_id, text)])
        self.fate: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def kept(self) -> None:
        """Kept, once only."""
        assert not self.fate.done(), "released twice"
        self.fate.set_result(None)

    def failed(self, error: BaseException) -> None:
        """Refused, once only."""
        assert not self.fate.done(), "released twice"
        self.fate.set_exception(error)


@asynccontextmanager
async def running_writer(dsn: str, **options: Any) -> AsyncIterator[GroupWriter]:
    """A writer of lines that runs, and ends in good order."""
    writer = GroupWriter(dsn, NAME, _SINKS, **options)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.close()


async def texts(connection: asyncpg.Connection) -> list[str]:
    """What was written, in order."""
    return [row["text"] for row in await connection.fetch("SELECT text FROM line ORDER BY id")]
