"""An edge of one's own for every test."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.edge import RunningEdge, migrated_database, running_edge
from tests.support.postgres import drop_database


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    """The DSN of a database with the schema."""
    dsn = migrated_database(postgres_server)
    yield dsn
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


@pytest.fixture
async def edge(database: str) -> AsyncIterator[RunningEdge]:
    """An edge with three stations and a token."""
    async with running_edge(database) as running:
        await running.add_stations("CP-1", "CP-2", "CP-3")
        await running.add_token("TAG1")
        yield running
