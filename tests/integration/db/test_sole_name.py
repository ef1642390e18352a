"""Two processes of one name on one database would take each other's stations for their own."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from pilotwire.db import sole_name
from pilotwire.db.sole_name import NameTaken, SoleName
from tests.support.edge import migrated_database, running_edge
from tests.support.postgres import drop_database


@pytest.fixture
def dsn(postgres_server: str) -> Iterator[str]:
    made = migrated_database(postgres_server)
    yield made
    drop_database(postgres_server, urlsplit(made).path.lstrip("/"))


async def test_a_second_process_of_the_same_name_is_refused(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sole_name, "_PATIENCE_S", 0.3)
    async with running_edge(dsn, "one"):
        with pytest.raises(NameTaken, match="PILOTWIRE_GATEWAY_NAME"):
            async with running_edge(dsn, "one"):
                pass
        async with running_edge(dsn, "two"):
            pass
    async with running_edge(dsn, "one"):
        pass


async def test_one_that_is_just_ending_is_waited_for(dsn: str) -> None:
    first, second = SoleName(dsn, "x"), SoleName(dsn, "x")
    await first.take()
    taking = asyncio.create_task(second.take())
    await asyncio.sleep(0.2)
    assert not taking.done()
    await first.give_up()
    await asyncio.wait_for(taking, 10)
    await second.give_up()


async def test_the_name_is_held_again_after_the_database_was_away(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sole_name, "_RETRY_S", 0.05)
    holder = SoleName(dsn, "x")
    await holder.take()
    admin = await asyncpg.connect(dsn)
    try:
        where = "WHERE application_name = 'pilotwire name' AND datname = current_database()"
        first = await admin.fetchval(f"SELECT pid FROM pg_stat_activity {where}")
        await admin.execute("SELECT pg_terminate_backend($1)", first)
        async with asyncio.timeout(20):
            while True:
                held = await admin.fetchval(
                    "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
                    " AND l.granted AND a.application_name = 'pilotwire name' AND a.datname = current_database()"
                )
                if held not in (None, first):
                    break
                await asyncio.sleep(0.05)
    finally:
        await admin.close()
        await holder.give_up()
