"""The group-commit writer when its connection or its PostgreSQL is lost: nothing is lost and nothing doubled."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from pilotwire.db.bundle import Writing
from pilotwire.db.embedded import EmbeddedPostgres
from pilotwire.db.engine import Database
from pilotwire.db.migrate import migrate
from pilotwire.db.writer import GroupWriter
from tests.support.edge import migrated_database
from tests.support.postgres import drop_database
from tests.support.proxy import Cut, commit_proxy
from tests.support.writing import LINE_TABLE, NAME, Line, Said, running_writer, texts, write_lines


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(dsn)
    await made.execute(LINE_TABLE)
    yield made
    await made.close()


@pytest.mark.parametrize("cut", Cut)
async def test_a_connection_lost_at_the_commit_loses_nothing_and_doubles_nothing(
    dsn: str, connection: asyncpg.Connection, cut: Cut
) -> None:
    # A former process of this name had come to a high batch number, which must not be taken for ours.
    await connection.execute("INSERT INTO writer_position (writer, batch) VALUES ($1, $2)", NAME, 2**62)
    async with commit_proxy(dsn) as (proxy, through), running_writer(through) as writer:
        for number in range(3):
            before, lost = Said(f"before {number}"), Said(f"lost {number}")
            writer.submit(before)
            await before.fate
            proxy.cut = cut
            writer.submit(lost)
            async with asyncio.timeout(20):
                await lost.fate
            assert (await texts(connection))[-1] == f"lost {number}"
        await proxy.settle()
        assert proxy.cuts == 3
    assert await texts(connection) == [f"{which} {n}" for n in range(3) for which in ("before", "lost")]


async def test_a_connection_ended_in_the_middle_of_a_batch_is_made_anew(
    dsn: str, connection: asyncpg.Connection
) -> None:
    hurt = asyncio.Event()

    async def interrupted(writing: Writing, records: list[Line]) -> None:
        await write_lines(writing, records)
        if not hurt.is_set():
            hurt.set()
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", NAME
            )

    writer = GroupWriter(dsn, NAME, {Line: interrupted})
    await writer.start()
    entry = Said("once")
    writer.submit(entry)
    await entry.fate
    await writer.close()
    assert hurt.is_set()
    assert await texts(connection) == ["once"]


async def test_what_a_former_process_is_just_writing_is_ended_first(
    dsn: str, connection: asyncpg.Connection
) -> None:
    """After a kill its connection may live on for a while, even with a transaction that holds its lock."""
    former = await asyncpg.connect(dsn, server_settings={"application_name": NAME})
    await former.execute("BEGIN; SELECT pg_advisory_xact_lock_shared(hashtext('" + NAME + "'))")
    await former.execute("INSERT INTO line (station_id, text) VALUES (1, 'never answered')")
    async with asyncio.timeout(10), running_writer(dsn) as writer:
        entry = Said("new")
        writer.submit(entry)
        await entry.fate
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await former.execute("COMMIT")
    former.terminate()
    assert await texts(connection) == ["new"]


async def test_poison_in_a_batch_that_is_cut_at_its_commit_is_still_found(
    dsn: str, connection: asyncpg.Connection
) -> None:
    async with commit_proxy(dsn) as (proxy, through), running_writer(through) as writer:
        proxy.cut = Cut.AFTER
        said = [Said("poison" if number == 5 else str(number)) for number in range(12)]
        for entry in said:
            writer.submit(entry)
        fates = await asyncio.gather(*(entry.fate for entry in said), return_exceptions=True)
        assert proxy.cuts == 1
    assert [number for number, fate in enumerate(fates) if fate is not None] == [5]
    assert await texts(connection) == [str(number) for number in range(12) if number != 5]


async def connected(dsn: str) -> asyncpg.Connection:
    """Connect to a server that may still be on its way back: a backend can outlive its postmaster by a commit."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await asyncpg.connect(dsn)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.1)


async def test_killed_postgres_delays_and_loses_nothing(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "data", settings={"fsync": "off"})
    dsn = await postgres.start()
    watching = asyncio.create_task(postgres.watch())
    try:
        database = Database(dsn)
        await migrate(database.engine)
        await database.close()
        setup = await asyncpg.connect(dsn)
        await setup.execute(LINE_TABLE)
        await setup.close()
        async with running_writer(dsn) as writer:
            said: list[Said] = []
            for cycle in range(3):
                for number in range(200):
                    said.append(Said(f"{cycle}.{number}"))
                    writer.submit(said[-1])
                    await asyncio.sleep(0)
                    if number == 100:
                        assert postgres.pid is not None
                        os.kill(postgres.pid, signal.SIGKILL)
                async with asyncio.timeout(60):
                    await asyncio.gather(*(entry.fate for entry in said))
                assert writer.available
        check = await connected(dsn)
        assert await texts(check) == [f"{cycle}.{number}" for cycle in range(3) for number in range(200)]
        await check.close()
    finally:
        await postgres.stop()
        await asyncio.gather(watching, return_exceptions=True)


async def test_while_the_database_is_away_nothing_is_released_and_closing_gives_up(
    dsn: str, connection: asyncpg.Connection
) -> None:
    async with commit_proxy(dsn) as (proxy, through):
        writer = GroupWriter(through, NAME, {Line: write_lines})
        await writer.start()
        proxy.refuse = True
        proxy.close()
        entry = Said("never")
        writer.submit(entry)
        await asyncio.sleep(0.5)
        assert not writer.available
        await writer.close(timeout_s=0.5)
        assert not entry.fate.done()
    assert await texts(connection) == []
