from collections.abc import AsyncIterator

import pytest

from tests.support.operations import Operations, operations


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    """A system that reads stations as soon as they have booted, with one station in it."""
    async with operations(postgres_server, device_read_delay_s=0) as made:
        await made.edge.add_stations("CP-1")
        yield made
