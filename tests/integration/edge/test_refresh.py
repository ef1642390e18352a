"""Changes made by others reach the memory of a running server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from pilotwire.app.edge import Edge, open_edge
from pilotwire.app.opening import open_database
from pilotwire.settings import Settings


@pytest.fixture
async def edge(empty_database: str, tmp_path: Path) -> AsyncIterator[Edge]:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(empty_database), drain_timeout_s=0)
    async with AsyncExitStack() as stack:
        database = await open_database(settings, stack)
        yield await open_edge(settings, database, stack)


@pytest.fixture
async def stranger(edge: Edge) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else."""
    connection = await asyncpg.connect(edge.database.dsn)
    yield connection
    await connection.close()


async def _until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - the state of another task
            await asyncio.sleep(0.02)


async def _add_station(connection: asyncpg.Connection, identity: str) -> int:
    station_id: int = await connection.fetchval(
        "INSERT INTO station (tenant_id, identity, admission, secret_digest) VALUES (1, $1, 'accepted', '\\x00')"
        " RETURNING id",
        identity,
    )
    return station_id


async def test_stations_of_another_process_appear_change_and_vanish(
    edge: Edge, stranger: asyncpg.Connection
) -> None:
    await asyncio.sleep(0.3)  # the listener has connected
    station_id = await _add_station(stranger, "CP-NEW")
    await _until(lambda: edge.directory.find(["cp-new"]) is not None)

    await stranger.execute("UPDATE station SET admission = 'rejected' WHERE id = $1", station_id)
    await _until(lambda: edge.directory.find(["CP-NEW"]).admission == "rejected")  # type: ignore[union-attr]

    await stranger.execute("DELETE FROM station WHERE id = $1", station_id)
    await _until(lambda: edge.directory.find(["CP-NEW"]) is None)


async def test_what_was_missed_while_not_listening_is_read_afterwards(
    edge: Edge, stranger: asyncpg.Connection
) -> None:
    await asyncio.sleep(0.3)
    await stranger.execute(
        "SELECT set_config('session_replication_role', 'replica', false)"
    )  # no triggers: missed
    await _add_station(stranger, "CP-MISSED")
    await stranger.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'pilotwire refresh' AND datname = current_database()"
    )
    await _until(lambda: edge.directory.find(["CP-MISSED"]) is not None)


async def test_tokens_changed_elsewhere_are_judged_anew(edge: Edge, stranger: asyncpg.Connection) -> None:
    await asyncio.sleep(0.3)
    tokens = edge.switchboard.tokens
    tokens.keep(1, "TAG", None, as_of=tokens.changes)
    await stranger.execute(
        "INSERT INTO token (id, tenant_id, uid, folded_uid, kind, status)"
        " VALUES (gen_random_uuid(), 1, 'TAG', 'tag', 'rfid', 'accepted')"
    )
    await _until(lambda: tokens.find(1, "TAG") is not None)
