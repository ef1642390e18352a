"""One station, many sockets: the newest wins, and a call of ours reaches one socket at most."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets import ConnectionClosed

from pilotwire.domain.stations.ports import NoAnswer, NotConnected
from pilotwire.ocpp import arrivals
from tests.support.edge import PASSWORD, RunningEdge, running_edge
from tests.support.raw_station import CLOSE, RawStation, basic, drop_all
from tests.support.stations import Refused, Station, station

SWAPS = 1000
PRESENT = "SELECT connected FROM station_presence WHERE station_id = $1"


async def attached(edge: RunningEdge, identity: str) -> int:
    """Wait until a station can be called, and give its number."""
    number = await edge.station_id(identity)
    async with asyncio.timeout(10):
        while edge.edge.switchboard.link(number) is None:  # noqa: ASYNC110 - the state of another task
            await asyncio.sleep(0.01)
    return number


async def breathe(count: int, talk: "asyncio.Task[None]", outcomes: Counter[str]) -> None:
    """Give the server some time, and every fiftieth connection as long as it needs to speak and to be called."""
    if count % 10 == 0:
        await asyncio.sleep(0.01)
    if count % 50 == 0:
        before = outcomes["answered"]
        await talk
        while outcomes["answered"] == before:  # noqa: ASYNC110 - the state of another task
            await asyncio.sleep(0.005)


async def test_a_thousand_swaps_with_calls_running(
    edge: RunningEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_SWAP_WINDOW_S", 0.0)  # else the newcomers would be held off
    number = await edge.station_id("CP-1")
    reached: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    answered: set[str] = set()
    swapping = True

    async def call_for_ever() -> None:
        for count in range(10**9):
            if not swapping:
                return
            payload = json.dumps({"vendorId": "test", "data": f"call {count}"}).encode()
            try:
                answer = await edge.edge.switchboard.call(number, "DataTransfer", payload, timeout_s=5)
                outcomes["answered" if answer.payload else "refused"] += 1
            except (NotConnected, NoAnswer) as error:
                outcomes[type(error).__name__] += 1
                await asyncio.sleep(0.002)

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        reached[payload["data"]] += 1
        return {"status": "Accepted"}

    async def talk(cp: Station) -> None:
        message_id = f"swap-{id(cp):x}-{len(answered)}"
        try:
            await cp.call("Heartbeat", {}, message_id=message_id)
            answered.add(message_id)
        except (ConnectionError, ConnectionClosed, Refused):
            outcomes["interrupted"] += 1

    calling = asyncio.create_task(call_for_ever())
    async with AsyncExitStack() as stack, asyncio.timeout(240):
        talks = []
        for count in range(SWAPS):
            cp = await stack.enter_async_context(station(edge.url, "CP-1", "2.0.1", answer=answer))
            talks.append(asyncio.create_task(talk(cp)))
            await breathe(count, talks[-1], outcomes)
        await asyncio.gather(*talks)
        assert edge.edge.switchboard.connected == 1
        swapping = False
        await calling
        assert "currentTime" in await cp.call("Heartbeat", {})
        answer_now = await edge.edge.switchboard.call(
            number, "DataTransfer", b'{"vendorId":"x","data":"last"}'
        )
        assert answer_now.payload is not None
        assert json.loads(answer_now.payload) == {"status": "Accepted"}
    assert reached.most_common(1)[0][1] == 1, "a call reached two sockets"
    assert outcomes["answered"] > 10, outcomes
    stored = {
        row["message_id"] for row in await edge.rows("SELECT message_id FROM frame WHERE direction = 0")
    }
    assert answered <= stored
    assert len(answered) > 10


async def test_sockets_that_push_each_other_out_are_held_off(edge: RunningEdge) -> None:
    held = 0
    async with AsyncExitStack() as stack:
        for _ in range(30):
            cp = await stack.enter_async_context(station(edge.url, "CP-1"))
            try:
                await cp.call("Heartbeat", {})
            except (ConnectionError, ConnectionClosed):
                assert await cp.close_code() == 1013
                held += 1
        assert 5 <= held <= 12
        assert edge.edge.switchboard.connected == 1
        async with station(edge.url, "CP-2") as neighbour:
            await neighbour.call("Heartbeat", {})


async def test_a_late_end_of_the_old_socket_leaves_the_new_one_alone(edge: RunningEdge) -> None:
    authorization = basic(b"CP-1", PASSWORD.encode())
    old = await RawStation.connect(
        edge.endpoint.port, "/ocpp/CP-1", authorization, "Sec-WebSocket-Protocol: ocpp2.0.1"
    )
    assert old.answer.status == 101
    number = await attached(edge, "CP-1")
    async with station(edge.url, "CP-1") as new:
        await new.call("Heartbeat", {})
        first, _ = await old.receive()
        assert first & 0x0F == CLOSE
        link = edge.edge.switchboard.link(number)
        assert link is not None
        connected_at = link.connected_at
        old.drop()  # only now, long after the new one came
        await asyncio.sleep(0.2)
        await new.call("Heartbeat", {})
        link = edge.edge.switchboard.link(number)
        assert link is not None
        assert link.connected_at == connected_at
        await edge.edge.writer.settled()
        assert await edge.value(PRESENT, number)
    async with asyncio.timeout(10):
        while await edge.value(PRESENT, number):  # noqa: ASYNC110 - the state of the database
            await asyncio.sleep(0.02)
    drop_all()


async def test_a_socket_that_goes_while_it_is_attached_leaves_nobody_connected(edge: RunningEdge) -> None:
    number = await edge.station_id("CP-1")
    for _ in range(20):
        raw = await RawStation.connect(
            edge.endpoint.port,
            "/ocpp/CP-1",
            basic(b"CP-1", PASSWORD.encode()),
            "Sec-WebSocket-Protocol: ocpp2.0.1",
        )
        raw.drop()
    async with asyncio.timeout(10):
        while edge.edge.listener.connections:  # noqa: ASYNC110 - the state of another task
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    await edge.edge.writer.settled()
    assert edge.edge.switchboard.link(number) is None
    assert not await edge.value(PRESENT, number)
    drop_all()


async def test_the_old_gateway_writes_nothing_after_the_new_one_took_over(
    edge: RunningEdge, database: str
) -> None:
    async with running_edge(database, "another") as other, station(edge.url, "CP-1") as old:
        await old.boot()
        async with station(other.url, "CP-1") as new:
            await new.boot()
            with pytest.raises((ConnectionError, ConnectionClosed)):
                await old.call("Heartbeat", {}, message_id="from the past")
            assert await old.close_code() == 1011
            await new.call("Heartbeat", {}, message_id="from the present")
            number = await edge.station_id("CP-1")
            assert edge.edge.switchboard.link(number) is None
            assert await edge.value(PRESENT, number)
    ids = [row["message_id"] for row in await edge.rows("SELECT message_id FROM frame")]
    assert "from the present" in ids
    assert "from the past" not in ids
    assert await edge.rows("SELECT * FROM quarantine") == []


async def test_a_replacement_from_another_address_is_a_security_event(edge: RunningEdge) -> None:
    async with station(edge.url, "CP-1") as first:
        await first.call("Heartbeat", {})
        async with station(edge.url, "CP-1") as second:
            await second.call("Heartbeat", {})
            async with station(edge.url, "CP-1", address="127.0.0.2") as third:
                await third.call("Heartbeat", {})
                await edge.edge.writer.settled()
    events = await edge.rows("SELECT type, technical_info FROM security_event")
    assert [row["type"] for row in events] == ["ConnectionReplaced"]
    assert "127.0.0.2" in events[0]["technical_info"]
