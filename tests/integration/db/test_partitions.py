"""Daily partitions: made ahead, filled, fallen back from, dropped; never in the stations' way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest

from pilotwire.db.engine import Database
from pilotwire.db.partitions import (
    PARTITIONED_TABLES,
    drop_old_partitions,
    make_partitions,
    partition_name,
)
from pilotwire.jobs.partitions import keep_partitions
from tests.support.edge import migrated_database
from tests.support.postgres import drop_database

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
RETENTION = {"frame": 30, "station_report": 30, "connector_status": 400, "sample": 400}


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    made = Database(dsn)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.service.acquire() as made:
        yield made


async def add_sample(connection: asyncpg.Connection, received_at: datetime) -> str:
    """Add a sample and return the name of the table that took it."""
    table: str = await connection.fetchval(
        "INSERT INTO sample (tenant_id, station_id, at, received_at) VALUES (1, 1, $1, $1)"
        " RETURNING tableoid::regclass::text",
        received_at,
    )
    return table


async def partitions(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = $1::regclass ORDER BY 1",
        table,
    )
    return [row["relname"] for row in rows]


async def test_partitions_are_made_ahead_for_every_table(database: Database) -> None:
    await keep_partitions(database, lambda: NOON, RETENTION)
    async with database.service.acquire() as connection:
        for table in PARTITIONED_TABLES:
            expected = [partition_name(table, TODAY + timedelta(days=n)) for n in range(8)]
            assert await partitions(connection, table) == [*expected, f"{table}_rest"]
        assert await add_sample(connection, NOON) == "sample_p20260310"
    assert await keep_partitions(database, lambda: NOON, RETENTION) == []


async def test_a_day_is_from_midnight_to_midnight_utc(connection: asyncpg.Connection) -> None:
    await connection.execute("SET timezone = 'Asia/Kolkata'")
    async with connection.transaction():
        await make_partitions(connection, TODAY, TODAY)
    last = datetime(2026, 3, 10, 23, 59, 59, 999999, tzinfo=UTC)
    assert await add_sample(connection, datetime(2026, 3, 10, tzinfo=UTC)) == "sample_p20260310"
    assert await add_sample(connection, last) == "sample_p20260310"
    assert await add_sample(connection, last + timedelta(microseconds=1)) == "sample_rest"


async def test_rows_of_a_day_without_a_partition_are_kept_and_found(connection: asyncpg.Connection) -> None:
    assert await add_sample(connection, NOON) == "sample_rest"
    assert await connection.fetchval("SELECT count(*) FROM sample WHERE received_at = $1", NOON) == 1
    async with connection.transaction():
        # The day has rows in the rest: it stays there, and the next day gets its own.
        assert (
            await make_partitions(connection, TODAY, TODAY + timedelta(days=1))
            == 2 * len(PARTITIONED_TABLES) - 1
        )
    assert await add_sample(connection, NOON) == "sample_rest"
    assert await add_sample(connection, NOON + timedelta(days=1)) == "sample_p20260311"
    assert await connection.fetchval("SELECT count(*) FROM sample") == 3


async def test_retention_drops_whole_days_only(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await make_partitions(connection, TODAY - timedelta(days=3), TODAY)
    for days in range(4):
        await add_sample(connection, NOON - timedelta(days=days))
    await add_sample(connection, NOON - timedelta(days=10))
    async with connection.transaction():
        dropped = await drop_old_partitions(connection, "sample", TODAY - timedelta(days=1))
    assert dropped == ["sample_p20260307", "sample_p20260308"]
    rows = await connection.fetch("SELECT received_at FROM sample ORDER BY 1")
    assert [row["received_at"] for row in rows] == [NOON - timedelta(days=1), NOON]
    assert "frame_p20260307" in await partitions(connection, "frame")


async def test_only_partitioned_tables_can_be_cut(connection: asyncpg.Connection) -> None:
    with pytest.raises(ValueError, match="session"):
        await drop_old_partitions(connection, "session", TODAY)


async def test_the_job_follows_each_tables_retention(database: Database) -> None:
    async with database.service.acquire() as connection, connection.transaction():
        await make_partitions(connection, TODAY - timedelta(days=31), TODAY - timedelta(days=30))
    dropped = await keep_partitions(database, lambda: NOON, RETENTION)
    assert dropped == ["frame_p20260207", "station_report_p20260207"]


async def test_a_long_report_does_not_make_the_job_stop_the_stations(database: Database, dsn: str) -> None:
    """Waiting for its lock, the job would stand before all writers in the queue."""
    reader, writer = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    try:
        report = reader.transaction()
        await report.start()
        await reader.fetch("SELECT count(*) FROM sample")
        job = asyncio.create_task(keep_partitions(database, lambda: NOON, RETENTION))
        async with asyncio.timeout(10):
            await add_sample(writer, NOON)
            with pytest.raises(asyncpg.LockNotAvailableError):
                await job
        await report.rollback()
    finally:
        await reader.close()
        await writer.close()
    await keep_partitions(database, lambda: NOON, RETENTION)
