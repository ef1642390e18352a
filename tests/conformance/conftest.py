"""An edge for the conformance tests that talk over the wire."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from pilotwire.domain.access.model import TokenStatus
from tests.support.edge import RunningEdge, migrated_database, running_edge
from tests.support.postgres import drop_database


@pytest.fixture
async def edge(postgres_server: str) -> AsyncIterator[RunningEdge]:
    """An edge with a station and two tokens."""
    dsn = migrated_database(postgres_server)
    async with running_edge(dsn) as running:
        await running.add_stations("CP-1")
        await running.add_token("TAG1")
        await running.add_token("BLOCKED", TokenStatus.BLOCKED)
        yield running
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))
