"""Fixtures for tests of the people's edge."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx
import pytest

from tests.support.web import Edge, drop_database, migrated_database, open_edge


@pytest.fixture
def web_database(postgres_server: str) -> Iterator[str]:
    name = f"web_{uuid4().hex[:12]}"
    yield migrated_database(postgres_server, name)
    drop_database(postgres_server, name)


@pytest.fixture
async def edge(web_database: str) -> AsyncIterator[Edge]:
    async with open_edge(web_database) as edge:
        yield edge


@pytest.fixture
async def admin(edge: Edge) -> httpx.AsyncClient:
    return await edge.client("admin")
