"""Rules that find sessions that are over: stations are asked first, then the session is ended; late stops still count."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.charging import Charging, ago
from tests.support.edge import migrated_database
from tests.support.operations import Operations, eventually, operations, operations_on
from tests.support.postgres import drop_database
from tests.support.stations import PATIENCE_S, Station, station

VERSIONS = ("1.6", "2.0.1", "2.1")
# Rules as short as they can be: what they wait for in life is tested with the rules alone.
QUICK = {"supervision_interval_s": 0.2, "session_free_after_s": 1, "session_patience_s": 2}


@asynccontextmanager
async def system_on(dsn: str, **settings: Any) -> AsyncIterator[Operations]:
    async with operations_on(dsn, **{**QUICK, **settings}) as made:
        yield made


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server, **QUICK) as made:
        await prepare(made)
        yield made


async def prepare(system: Operations) -> None:
    await system.edge.add_stations("CP-1")
    await system.edge.add_token("CARD")


async def session_in(system: Operations, *states: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (session,) = (await system.http.get("/api/v1/sessions")).json()["items"]
            if session["state"] in states:
                found: dict[str, Any] = session
                return found
            await asyncio.sleep(0.1)


async def kinds_of(system: Operations, session: dict[str, Any]) -> list[str]:
    events = (await system.http.get(f"/api/v1/sessions/{session['id']}/events")).json()["items"]
    return [event["kind"] for event in events]


async def seen(system: Operations, condition: Callable[[dict[str, Any], list[str]], bool]) -> None:
    """Wait until the only session and the kinds of its events are as they should be."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            session = await session_in(system, "active", "ended", "disputed")
            if condition(session, await kinds_of(system, session)):
                return
            await asyncio.sleep(0.05)


async def leave_unsaid(client: Station) -> Charging:
    """A session of 500 Wh whose car left: the connector is free, and no stop came."""
    await client.boot()
    charging = Charging(client)
    await charging.status(ago(30), "Preparing" if charging.old else "Occupied")
    await charging.begin(ago(29), 1000)
    await charging.sample(ago(20), 1500, 7000)
    await charging.status(ago(10), "Available")
    return charging


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_session_of_a_free_connector_is_asked_for_and_ended(system: Operations, version: str) -> None:
    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "GetTransactionStatus":
            return {"ongoingIndicator": False, "messagesInQueue": False}
        return {"status": "Accepted"}

    async with station(system.edge.url, "CP-1", version, answer=answer) as client:
        charging = await leave_unsaid(client)
        session = await session_in(system, "ended")
        wanted = "connector_free" if version == "1.6" else "station_says_over"
        assert session["settlement"]["reason"] == wanted
        assert session["settlement"]["by"] == "rule"
        assert session["energy_wh"] == 500
        asked = [action for action, _ in client.calls]
        assert ("TriggerMessage" if version == "1.6" else "GetTransactionStatus") in asked
        kinds = await kinds_of(system, session)
        assert {"stop_missing", "settled"} <= set(kinds)
        await charging.end(ago(9), 2000)  # it had it in its queue all the time
        corrected = await session_in(system, "ended")
        assert (corrected["energy_wh"], corrected["settlement"]) == (1000, None)


async def test_a_station_with_messages_in_its_queue_is_waited_for(system: Operations) -> None:
    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        return {"ongoingIndicator": False, "messagesInQueue": True}

    async with station(system.edge.url, "CP-1", "2.0.1", answer=answer) as client:
        charging = await leave_unsaid(client)
        await eventually(lambda: len(client.calls) >= 2)  # asked, and asked again after patience
        assert (await session_in(system, "active", "ended"))["state"] == "active"
        await charging.end(ago(9), 2000)
        assert (await session_in(system, "ended"))["settlement"] is None


async def test_a_session_that_goes_on_is_left_alone(system: Operations) -> None:
    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        return {"ongoingIndicator": True, "messagesInQueue": False}

    async with station(system.edge.url, "CP-1", "2.1", answer=answer) as client:
        await leave_unsaid(client)
        await eventually(lambda: len(client.calls) >= 2)
        assert (await session_in(system, "active", "ended"))["state"] == "active"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_vanished_stations_sessions_are_ended_and_its_stop_counts_over_a_restart(
    postgres_server: str, version: str
) -> None:
    dsn = migrated_database(postgres_server)
    async with system_on(dsn) as first:
        await prepare(first)
        async with station(first.edge.url, "CP-1", version) as client:
            await client.boot()
            charging = Charging(client)
            await charging.begin(ago(29), 1000)
            await charging.sample(ago(20), 1500)
        await first.edge.edge.writer.settled()
        await first.edge.rows("UPDATE station_presence SET disconnected_at = now() - interval '2 days'")
        await first.edge.rows("UPDATE session SET last_received_at = now() - interval '2 days'")
        session = await session_in(first, "ended")
        assert session["settlement"]["reason"] == "station_gone"
    async with system_on(dsn) as second:
        async with station(second.edge.url, "CP-1", version) as client:
            await client.boot()
            charging.client = client
            await charging.end(ago(5), 2500)
        corrected = await session_in(second, "ended")
        assert (corrected["energy_wh"], corrected["settlement"]) == (1500, None)
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def test_rules_that_may_not_settle_only_tell(postgres_server: str) -> None:
    dsn = migrated_database(postgres_server)
    async with system_on(dsn, session_settle=False) as system:
        await prepare(system)
        async with station(system.edge.url, "CP-1", "1.6") as client:
            await leave_unsaid(client)
            await seen(system, lambda _, kinds: "stop_missing" in kinds)
            await asyncio.sleep(3)  # longer than patience
            assert (await session_in(system, "active", "ended"))["state"] == "active"
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_full_car_is_noticed_and_charges_again(system: Operations, version: str) -> None:
    async with station(system.edge.url, "CP-1", version) as client:
        await client.boot()
        charging = Charging(client)
        await charging.status(ago(60), "Charging" if charging.old else "Occupied")
        await charging.begin(ago(59), 0)
        await charging.sample(ago(50), 1500, 11_000)
        await charging.sample(ago(45), 2000, 30)
        assert (await session_in(system, "active"))["full_since"] is None
        await charging.sample(ago(30), 2000, 20)
        await seen(system, lambda session, kinds: session["full_since"] is not None and "full" in kinds)
        await charging.sample(ago(20), 2100, 3000)
        await seen(system, lambda session, _: session["full_since"] is None)


async def test_a_connector_that_charges_without_a_session_is_told_of_once(postgres_server: str) -> None:
    dsn = migrated_database(postgres_server)
    async with system_on(dsn, start_missing_after_s=10) as system:
        await prepare(system)
        reader = system.app.state.hub.open(1)
        async with station(system.edge.url, "CP-1", "1.6") as client:
            await client.boot()
            await Charging(client).status(ago(1), "Charging")
            await system.edge.rows("UPDATE connector SET received_at = now() - interval '1 minute'")
            async with asyncio.timeout(PATIENCE_S):
                while b"event: session.start_missing" not in (chunk := await reader.next_chunk(1) or b""):
                    pass
            assert b'"cause":"connector_charges"' in chunk
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))
