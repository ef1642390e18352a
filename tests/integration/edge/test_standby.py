"""A standby that takes over: what a synchronous one has, what an asynchronous one lacks, and who finds the new primary."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from pydantic import SecretStr

from bench.standby import StandbyPair
from pilotwire.app import Server
from pilotwire.db.durability import find_risks
from pilotwire.settings import Settings
from tests.support.edge import RunningEdge, running_edge
from tests.support.stations import Station, moment, station

KEY = "key-of-the-standby-tests-0123456789"


@asynccontextmanager
async def standby_pair(directory: Path, *, synchronous: bool = True) -> AsyncIterator[StandbyPair]:
    pair = StandbyPair(directory / "pair", synchronous=synchronous)
    try:
        await pair.start()
        yield pair
    finally:
        await pair.stop()


def started(number: int) -> dict[str, Any]:
    return {"connectorId": 1, "idTag": "TAG1", "meterStart": number, "timestamp": moment(number)}


async def start(cp: Station, number: int) -> str:
    message_id = f"start-{number}"
    await cp.call("StartTransaction", started(number), message_id=message_id)
    return message_id


async def stored_ids(pair: StandbyPair) -> list[str]:
    connection = await asyncpg.connect(pair.dsn)
    try:
        rows = await connection.fetch(
            "SELECT message_id FROM frame WHERE direction = 0 AND action = 'StartTransaction' AND response IS NOT NULL"
        )
    finally:
        await connection.close()
    return [row["message_id"] for row in rows]


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await true():  # noqa: ASYNC110 - the state of others
            await asyncio.sleep(0.05)


async def waits(call: "asyncio.Task[Any]", for_s: float = 1.5) -> bool:
    done, _ = await asyncio.wait([call], timeout=for_s)
    return not done


async def is_watched(edge: RunningEdge) -> None:
    """Of a host that loses its power nothing comes any more: the system has to ask."""
    async with edge.edge.database.service.acquire() as connection:
        wire = connection._con._transport.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 30


async def ready_edge(edge: RunningEdge) -> None:
    await edge.add_stations("CP-1")
    await edge.add_token("TAG1")


async def test_without_its_standby_nothing_is_answered(tmp_path: Path) -> None:
    async with standby_pair(tmp_path) as pair, running_edge(pair.dsn) as edge:
        await ready_edge(edge)
        await is_watched(edge)
        async with station(edge.url, "CP-1", "1.6") as cp:
            await cp.boot()
            answered = {await start(cp, 1)}
            await pair.kill_standby()
            call = asyncio.create_task(start(cp, 2))
            assert await waits(call)
            await pair.start_standby()
            answered.add(await call)
            # It had everything when it was let go on; so it may take over at once.
            await pair.kill_primary()
            await pair.promote()
            answered.add(await start(cp, 3))
            assert cp.socket.close_code is None
        assert sorted(await stored_ids(pair)) == sorted(answered)


async def test_a_connection_lost_while_the_standby_is_awaited_is_no_answer(tmp_path: Path) -> None:
    async with standby_pair(tmp_path) as pair, running_edge(pair.dsn) as edge:
        await ready_edge(edge)
        async with station(edge.url, "CP-1", "1.6") as cp:
            await cp.boot()
            await pair.kill_standby()
            call = asyncio.create_task(start(cp, 1))
            # Committed on the primary, and waiting there for the standby.
            await until(lambda: _ended_waiting(pair))
            assert await waits(call)
            await pair.start_standby()
            assert await call
            assert cp.socket.close_code is None


async def _ended_waiting(pair: StandbyPair) -> bool:
    connection = await asyncpg.connect(pair.dsn)
    try:
        return bool(
            await connection.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            )
        )
    finally:
        await connection.close()


async def test_an_asynchronous_standby_lacks_what_it_had_not_got(tmp_path: Path) -> None:
    async with standby_pair(tmp_path, synchronous=False) as pair, running_edge(pair.dsn) as edge:
        await ready_edge(edge)
        async with edge.edge.database.system() as connection:
            risks = await find_risks(connection, pair.dsn)
        assert [risk.split(" is ")[0] for risk in risks] == ["synchronous_standby_names"]
        async with station(edge.url, "CP-1", "1.6") as cp:
            await cp.boot()
            kept = await start(cp, 1)
            await until(lambda: _has(pair, kept))
            await pair.kill_standby()
            await start(cp, 2)
            await pair.kill_primary()
            await pair.start_standby()
            await pair.promote()
            third = await start(cp, 3)
            assert cp.socket.close_code is None
        assert sorted(await stored_ids(pair)) == sorted([kept, third])


async def _has(pair: StandbyPair, message_id: str) -> bool:
    connection = await asyncpg.connect(pair.dsn_of(pair.standby))
    try:
        return bool(await connection.fetchval("SELECT true FROM frame WHERE message_id = $1", message_id))
    finally:
        await connection.close()


async def test_every_part_of_the_server_finds_the_new_primary(tmp_path: Path) -> None:
    """People's requests, the news of other processes, commands, and the name: without a restart, there and back."""
    async with standby_pair(tmp_path) as pair:
        settings = Settings(
            data_dir=tmp_path / "data", database_url=SecretStr(pair.dsn), http="127.0.0.1:0", ocpp="127.0.0.1:0",
            bootstrap_api_key=SecretStr(KEY), drain_timeout_s=0,
        )  # fmt: skip
        server = Server(settings)
        await server.start()
        headers = {"Authorization": f"Bearer {KEY}"}
        try:
            async with httpx.AsyncClient(base_url=server.web.url, headers=headers, timeout=30) as people:
                for turn in range(2):
                    ready = (await people.get("/health/ready")).json()
                    assert ready["warnings"] == []
                    await pair.kill_primary()
                    assert (await people.get("/health/ready")).status_code == 503
                    answer = await people.get("/api/v1/stations")
                    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
                    await pair.promote()
                    await until(lambda: _answered(people, "/health/ready"))
                    made = await people.post("/api/v1/tokens", json={"uid": f"TAG{turn}", "kind": "rfid"})
                    assert made.status_code == 201, made.text
                    await _told_of(server, pair, f"CP-{turn}")
                    await until(lambda: _name_is_held(pair))
                    # Not safe until it has a standby again, and that is said.
                    ready = (await people.get("/health/ready")).json()
                    assert [warning.split(" is ")[0] for warning in ready["warnings"]] == [
                        "synchronous_standby_names"
                    ]
                    await pair.rebuild()
        finally:
            await server.stop()


async def _answered(people: httpx.AsyncClient, path: str) -> bool:
    return (await people.get(path)).status_code == 200


async def _told_of(server: Server, pair: StandbyPair, identity: str) -> None:
    """Another process adds a station, and the server hears of it."""
    connection = await asyncpg.connect(pair.dsn)
    try:
        await connection.execute(
            "INSERT INTO station (tenant_id, identity, admission, secret_digest) VALUES (1, $1, 'accepted', '\\x00')",
            identity,
        )
    finally:
        await connection.close()

    async def known() -> bool:
        return server.edge.directory.find([identity]) is not None

    await until(known)


async def _name_is_held(pair: StandbyPair) -> bool:
    connection = await asyncpg.connect(pair.dsn)
    try:
        held = await connection.fetchval(
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'pilotwire name'"
        )
    finally:
        await connection.close()
    return bool(held)
