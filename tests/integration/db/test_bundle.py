"""A bundle of statements on a real PostgreSQL: sent together, kept together, whatever the texts hold."""

from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from pilotwire.db.bulk import copy_rows, run_with_rows
from pilotwire.db.bundle import Bundle, Prepared

TEXTS = ["plain", "it's", "''); DROP TABLE said; --", 'a "b" \\ c', "\\'", "],[", ']]"', "ä€🚗", "$1", ""]
_INSERT = "INSERT INTO said (text) SELECT n.text FROM json_to_recordset($1) AS n (text text)"


class Row(msgspec.Struct):
    """A row with one text."""

    text: str


class Inner(msgspec.Struct, array_like=True):
    """The end of a nested row."""

    count: int
    text: str | None


class Outer(msgspec.Struct, array_like=True):
    """A row that has another at its end."""

    number: int
    inner: Inner


@pytest.fixture
async def connection(postgres_server: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(postgres_server, server_settings={"standard_conforming_strings": "on"})
    await made.execute(
        "CREATE TEMP TABLE said (text text); CREATE TEMP TABLE line (number int, count int, text text)"
    )
    yield made
    await made.close()


async def test_a_bundle_keeps_every_text_as_it_is(connection: asyncpg.Connection) -> None:
    prepared: Prepared = {}
    for _ in range(2):
        bundle = Bundle(connection, prepared, "BEGIN")
        await copy_rows(bundle, "line", ("number", "text"), list(enumerate(TEXTS)))
        await run_with_rows(bundle, _INSERT, [Row(text) for text in TEXTS])
        assert await connection.fetchval("SELECT count(*) FROM said") == 0
        await bundle.commit("COMMIT")
        assert [row["text"] for row in await connection.fetch("SELECT text FROM said")] == TEXTS
        assert [
            row["text"] for row in await connection.fetch("SELECT text FROM line ORDER BY number")
        ] == TEXTS
        await connection.execute("TRUNCATE said, line")
    assert len(prepared) == 1


async def test_cells_of_a_nested_row_are_cells(connection: asyncpg.Connection) -> None:
    rows = [Outer(number, Inner(number * 2, text)) for number, text in enumerate([*TEXTS, None])]
    await copy_rows(connection, "line", ("number", "count", "text"), rows)
    found = await connection.fetch("SELECT * FROM line ORDER BY number")
    assert [tuple(row) for row in found] == [(row.number, row.inner.count, row.inner.text) for row in rows]


async def test_what_fails_takes_the_whole_bundle_with_it(connection: asyncpg.Connection) -> None:
    bundle = Bundle(connection, {}, "BEGIN")
    await run_with_rows(bundle, _INSERT, [Row("before")])
    await copy_rows(bundle, "line", ("number", "text"), [("no number", "x")])
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await bundle.commit("COMMIT")
    await connection.execute("ROLLBACK")
    assert await connection.fetchval("SELECT count(*) FROM said") == 0
