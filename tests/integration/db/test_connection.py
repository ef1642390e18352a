"""Connections to several hosts of which the first says nothing, or not enough."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from sqlalchemy import text

from pilotwire.db.connection import connect
from pilotwire.db.engine import Database
from pilotwire.db.migrate import migrate
from pilotwire.db.sole_name import SoleName
from tests.support.edge import migrated_database
from tests.support.postgres import drop_database


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


def behind(first: Path, dsn: str) -> str:
    """Give a URL that names a socket's directory before the one of `dsn`."""
    parts = urlsplit(dsn)
    asked = parse_qs(parts.query)
    return f"postgresql://{parts.netloc}{parts.path}?host={first},{asked['host'][0]}&port={asked['port'][0]}"


@asynccontextmanager
async def silent_host(directory: Path, dsn: str) -> AsyncIterator[str]:
    """Listen beside PostgreSQL, take connections and say nothing; gives the URL of both."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    port = parse_qs(urlsplit(dsn).query)["port"][0]
    server = await asyncio.start_unix_server(say_nothing, directory / f".s.PGSQL.{port}")
    try:
        yield behind(directory, dsn)
    finally:
        server.close()


async def test_a_host_that_says_nothing_is_passed_by_all(tmp_path: Path, dsn: str) -> None:
    async with silent_host(tmp_path, dsn) as both:
        database, name = Database(both), SoleName(both, "x")
        await database.open()

        async def people() -> int:
            await migrate(database.engine)
            async with database.system() as connection:
                return int((await connection.execute(text("SELECT 1"))).scalar_one())

        try:
            answers = await asyncio.gather(people(), database.service.fetchval("SELECT 2"), name.take())
        finally:
            await name.give_up()
            await database.close()
    assert answers == [1, 2, None]


async def test_a_host_that_is_not_there_is_passed(tmp_path: Path, dsn: str) -> None:
    connection = await connect(behind(tmp_path, dsn))
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_the_most_telling_refusal_is_told(tmp_path: Path, dsn: str) -> None:
    # Nobody listens at the first, and the second is no standby: that the first is down explains more.
    with pytest.raises(FileNotFoundError):
        await connect(behind(tmp_path, dsn) + "&target_session_attrs=standby")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await connect(behind(tmp_path, dsn).replace("/test_", "/none_"))
    with pytest.raises(asyncpg.TargetServerAttributeNotMatched):
        await connect(dsn + "&target_session_attrs=standby")
