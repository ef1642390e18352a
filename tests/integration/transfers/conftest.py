"""A system with stations that really fetch firmware and deliver logs over HTTP."""

from collections.abc import AsyncIterator

import pytest

from tests.support.operations import Operations, operations


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await made.edge.add_stations("CP-1")
        yield made
