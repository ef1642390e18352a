"""A bundle of statements on a real PostgreSQL: sent together, kept together, whatever the texts hold."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from pilotwire.db.bulk import copy_rows, run_with_columns, run_with_rows
from pilotwire.db.bundle import Bundle, Prepared, take_whole_batches

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
    take_whole_batches(made)
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


async def test_rows_that_fail_leave_a_connection_that_works(connection: asyncpg.Connection) -> None:
    for _ in range(3):
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await copy_rows(
                connection, "line", ("number", "text"), [(1, "x" * 1000)] * 9000 + [("no number", "x")]
            )
    await copy_rows(connection, "line", ("number", "text"), [(1, "x")])
    assert await connection.fetchval("SELECT count(*) FROM line") == 1


async def test_what_fails_takes_the_whole_bundle_with_it(connection: asyncpg.Connection) -> None:
    bundle = Bundle(connection, {}, "BEGIN")
    await run_with_rows(bundle, _INSERT, [Row("before")])
    await copy_rows(bundle, "line", ("number", "text"), [("no number", "x")])
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await bundle.commit("COMMIT")
    await connection.execute("ROLLBACK")
    assert await connection.fetchval("SELECT count(*) FROM said") == 0


async def test_rows_of_several_tables_stand_behind_their_statements(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TEMP TABLE other (text text)")
    bundle = Bundle(connection, {}, "BEGIN")
    # More than the kernel takes in one piece, so that it is sent while PostgreSQL reads.
    rows = [(number, "x" * 1000) for number in range(9000)]
    await copy_rows(bundle, "line", ("number", "text"), rows)
    await copy_rows(bundle, "other", ("text",), [(text,) for text in TEXTS])
    await copy_rows(bundle, "line", ("number", "text"), [(-1, "last")])
    await bundle.commit("INSERT INTO said VALUES ('after');COMMIT")
    assert await connection.fetchval("SELECT count(*) FROM line") == 9001
    assert [row["text"] for row in await connection.fetch("SELECT text FROM other")] == TEXTS
    assert await connection.fetchval("SELECT text FROM said") == "after"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("BEGIN;SELECT 1/0", "COMMIT"),
        ("BEGIN", "SELECT 1/0;COMMIT"),
        ("BEGIN;SELECT * FROM nowhere", "COMMIT"),
    ],
)
async def test_rows_whose_statement_did_not_run_are_passed_over(
    connection: asyncpg.Connection, opening: str, closing: str
) -> None:
    for _ in range(3):
        bundle = Bundle(connection, {}, opening)
        await copy_rows(bundle, "line", ("number", "text"), list(enumerate(TEXTS)) * 100)
        await copy_rows(bundle, "said", ("text",), [(text,) for text in TEXTS])
        with pytest.raises((asyncpg.DivisionByZeroError, asyncpg.UndefinedTableError)):
            await bundle.commit(closing)
        await connection.execute("ROLLBACK")
        assert (
            await connection.fetchval("SELECT (SELECT count(*) FROM line) + (SELECT count(*) FROM said)") == 0
        )
    bundle = Bundle(connection, {}, "BEGIN")
    await copy_rows(bundle, "said", ("text",), [("well",)])
    await bundle.commit("COMMIT")
    assert await connection.fetchval("SELECT text FROM said") == "well"


async def test_a_bundle_whose_task_is_cancelled_leaves_nothing_half_said(postgres_server: str) -> None:
    async with asyncio.timeout(30):
        holder, said = await asyncpg.connect(postgres_server), await asyncpg.connect(postgres_server)
        await holder.execute("SELECT pg_advisory_lock(815)")
        bundle = Bundle(said, {}, "BEGIN;CREATE TEMP TABLE own (text text);SELECT pg_advisory_xact_lock(815)")
        await copy_rows(bundle, "own", ("text",), [("x",)])
        task = asyncio.create_task(bundle.commit("COMMIT"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncpg.PostgresError):  # the statement was cancelled, and the transaction with it
            await said.execute("SELECT * FROM own")
        await said.execute("ROLLBACK")
        assert await said.fetchval("SELECT to_regclass('own')") is None
        await said.close()
        await holder.close()


async def test_columns_keep_every_text_and_null(connection: asyncpg.Connection) -> None:
    statement = "INSERT INTO line SELECT * FROM unnest($1::int[], $2::int[], $3::text[])"
    rows = [
        (number, number * 2 if number % 2 else None, text)
        for number, text in enumerate([*TEXTS, None, "null"])
    ]
    bundle = Bundle(connection, {}, "BEGIN")
    await run_with_columns(bundle, statement, rows)
    await bundle.commit("COMMIT")
    assert [tuple(row) for row in await connection.fetch("SELECT * FROM line ORDER BY number")] == rows
    await connection.execute("TRUNCATE line")
    await run_with_columns(connection, statement, rows)
    assert [tuple(row) for row in await connection.fetch("SELECT * FROM line ORDER BY number")] == rows
