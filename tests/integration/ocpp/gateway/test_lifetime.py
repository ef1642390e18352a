"""Pings, silence and drain."""

import asyncio
import socket

import pytest

from pilotwire.ocpp.gateway import SERVICE_RESTART, HandshakeProblem, Limits
from pilotwire.ocpp.gateway.connection import StationConnection
from tests.integration.ocpp.gateway.conftest import Door, House, OpenHouse
from tests.support.raw_station import CLOSE, PING, PONG, TEXT, RawStation

QUICK = Limits(ping_interval_s=0.2, close_timeout_s=0.5)


async def test_a_station_that_answers_pings_stays(open_house: OpenHouse) -> None:
    house = await open_house(QUICK)
    station = await RawStation.connect(house.port)
    for _ in range(5):
        first, payload = await station.receive()
        assert first == 0x80 | PING
        station.send(PONG, payload)
    assert house.listener.connections == 1


async def test_any_frame_counts_as_alive(open_house: OpenHouse) -> None:
    house = await open_house(QUICK)
    station = await RawStation.connect(house.port)
    for number in range(20):
        station.send(PING if number % 2 else TEXT, b"x")
        await asyncio.sleep(0.05)
    assert house.listener.connections == 1


async def test_a_silent_station_is_dropped(open_house: OpenHouse) -> None:
    house = await open_house(QUICK)
    started = asyncio.get_running_loop().time()
    station = await RawStation.connect(house.port)
    assert await house.owner.end() == (1006, "silent")
    assert asyncio.get_running_loop().time() - started > 0.15
    assert await station.is_hung_up()


async def test_without_pings_the_kernel_watches(open_house: OpenHouse) -> None:
    house = await open_house(QUICK, door=Door(ping=False))
    station = await RawStation.connect(house.port)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.8):
            await station.reader.read(1)
    assert house.listener.connections == 1
    (connection,) = house.owner.opened_connections
    assert isinstance(connection, StationConnection)
    transport = connection._transport
    assert transport is not None
    peer = transport.underlying_transport.get_extra_info("socket")
    assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_drain_asks_everybody_to_leave(open_house: OpenHouse) -> None:
    house = await open_house()
    stations = [await RawStation.connect(house.port, f"/ocpp/CP-{n}") for n in range(120)]
    waiting = await RawStation.dial(house.port)
    await house.owner.until(lambda: house.listener.pending == 1)

    async def leave(station: RawStation) -> int:
        code = await station.close_code()
        station.send(CLOSE, code.to_bytes(2, "big"))
        return code

    leaving = asyncio.gather(*(leave(station) for station in stations))
    await house.listener.drain(5.0, SERVICE_RESTART)
    assert set(await leaving) == {1012}
    assert house.listener.connections == 0
    assert {(code, reason) for _, code, reason in house.owner.ends} == {(1012, "server stops")}
    assert await waiting.is_hung_up()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await RawStation.dial(house.port)


async def test_drain_drops_those_that_stay(house: House) -> None:
    station = await RawStation.connect(house.port)
    await house.owner.until(lambda: house.listener.connections == 1)
    await house.listener.drain(0.1)
    assert house.listener.connections == 0
    assert (await house.owner.end())[0] == 1001
    assert await station.is_hung_up()


async def test_drain_drops_those_that_came_in_this_very_moment(house: House) -> None:
    with socket.create_connection(("127.0.0.1", house.port), timeout=5) as client:
        house.listener._endpoints[0]._accept()  # its task has not begun yet, and will not
        assert house.listener.pending == 1
        await house.listener.drain(1.0)
        assert house.listener.pending == 0
        assert await asyncio.to_thread(client.recv, 1) == b""


async def test_several_endpoints_share_a_listener(house: House) -> None:
    second = await house.listener.start("127.0.0.1", 0)
    assert second.port != house.port
    for port in (house.port, second.port):
        assert (await RawStation.connect(port)).answer.status == 101
    assert house.listener.connections == 2


async def test_a_full_house_refuses_newcomers_only(open_house: OpenHouse) -> None:
    house = await open_house(Limits(max_connections=2, close_timeout_s=0.5))
    first = await RawStation.connect(house.port, "/ocpp/CP-1")
    await RawStation.connect(house.port, "/ocpp/CP-2")
    late = await RawStation.connect(house.port, "/ocpp/CP-3")
    assert late.answer.status == 503
    assert int(late.answer.headers["retry-after"]) >= 1
    assert house.problems == [HandshakeProblem.TOO_MANY_CONNECTIONS]
    first.drop()
    await house.owner.until(lambda: house.listener.connections == 1)
    assert (await RawStation.connect(house.port, "/ocpp/CP-3")).answer.status == 101
