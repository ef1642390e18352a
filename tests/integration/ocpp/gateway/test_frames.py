"""What the gateway lets through of what a station sends."""

import asyncio

import pytest

from pilotwire.ocpp.gateway import Limits
from tests.integration.ocpp.gateway.conftest import Door, House, OpenHouse
from tests.support.raw_station import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawStation,
    frame,
    upgrade_head,
)

SMALL = Limits(max_message_bytes=1000, close_timeout_s=0.5)


async def test_texts_arrive_in_order_and_answers_go_back(house: House) -> None:
    house.owner.react = lambda connection, text: connection.send(b"echo " + text)
    station = await RawStation.connect(house.port, "/ocpp/CP-1", "Sec-WebSocket-Protocol: ocpp1.6")
    for number in range(50):
        station.send(TEXT, b"%d" % number)
    for number in range(50):
        assert await station.receive() == (0x81, b"echo %d" % number)
    (connection,) = house.owner.opened_connections
    assert (connection.identity, connection.station) == ("CP-1", "station CP-1")
    assert connection.subprotocol == "ocpp1.6"
    assert connection.remote_address == "127.0.0.1"
    assert connection.opened_at <= connection.last_inbound_at


async def test_frames_that_came_with_the_request_are_not_lost(house: House) -> None:
    station = await RawStation.dial(house.port)
    texts = [b"%d" % n + b"x" * 90 for n in range(60)]
    await station.ask(upgrade_head("/ocpp/CP-1") + b"".join(frame(TEXT, text) for text in texts))
    await house.owner.until(lambda: len(house.owner.texts) == 60)
    assert house.owner.payloads() == texts


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 512 * 1024])
async def test_every_size_in_both_directions(house: House, size: int) -> None:
    house.owner.react = lambda connection, text: connection.send(text)
    station = await RawStation.connect(house.port)
    text = b"a" * size
    station.send(TEXT, text)
    assert await station.receive() == (0x81, text)


async def test_fragments_are_put_together(house: House) -> None:
    station = await RawStation.connect(house.port)
    station.send(TEXT, b"one ", fin=False)
    station.send(PING, b"p")
    station.send(CONTINUATION, b"", fin=False)
    station.send(CONTINUATION, b"two ", fin=False)
    station.send(CONTINUATION, b"three")
    station.send(TEXT, b"next")
    assert await station.receive() == (0x8A, b"p")
    await house.owner.until(lambda: len(house.owner.texts) == 2)
    assert house.owner.payloads() == [b"one two three", b"next"]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([frame(CONTINUATION, b"x")], 1002),
        ([frame(TEXT, b"x", fin=False), frame(TEXT, b"y")], 1002),
        ([frame(TEXT, b"x", rsv=0b100)], 1002),
        ([frame(TEXT, b"x", rsv=0b010)], 1002),
        ([frame(TEXT, b"x", rsv=0b001)], 1002),
        ([frame(PING, b"x", rsv=0b100)], 1002),
        ([frame(TEXT, b"x", fin=False), frame(CONTINUATION, b"y", rsv=0b100)], 1002),
        ([frame(BINARY, b"x")], 1003),
        ([frame(BINARY, b"x", fin=False)], 1003),
        ([frame(PING, b"x" * 126)], 1002),
        ([frame(PING, b"x", fin=False)], 1002),
        ([frame(0x3, b"x")], 1002),
        ([frame(0xB, b"x")], 1002),
        ([frame(TEXT, b"x", masked=False)], 1002),
        ([frame(CLOSE, b"\x03")], 1002),
        ([frame(CLOSE, b"\x03\xe7")], 1002),
        ([frame(CLOSE, b"\x03\xe8\xff\xff")], 1007),
        ([frame(TEXT, b"x" * 1001)], 1009),
        ([frame(TEXT, b"x" * 600, fin=False), frame(CONTINUATION, b"x" * 401)], 1009),
        ([frame(TEXT, b"x" * 600, fin=False)] + [frame(CONTINUATION, b"x" * 30, fin=False)] * 14, 1009),
    ],
)
async def test_broken_rules_end_with_their_code_and_deliver_nothing(
    open_house: OpenHouse, frames: list[bytes], code: int
) -> None:
    house = await open_house(SMALL)
    station = await RawStation.connect(house.port)
    station.writer.write(b"".join(frames) + frame(TEXT, b"after"))
    assert await station.close_code() == code
    station.drop()
    assert (await house.owner.end())[0] == code
    assert house.owner.texts == []


async def test_an_oversized_message_in_many_packets_is_not_delivered(open_house: OpenHouse) -> None:
    house = await open_house(SMALL)
    station = await RawStation.connect(house.port)
    whole = frame(TEXT, b"x" * 200_000) + frame(TEXT, b"after")
    for start in range(0, len(whole), 10_000):
        station.writer.write(whole[start : start + 10_000])
    assert await station.close_code() == 1009
    station.drop()
    assert (await house.owner.end())[0] == 1009
    assert house.owner.texts == []


async def test_text_that_is_not_utf8_is_handed_on_for_repair(house: House) -> None:
    station = await RawStation.connect(house.port)
    station.send(TEXT, b'{"vendor":"\xe4\xff"}')
    await house.owner.until(lambda: bool(house.owner.texts))
    assert house.owner.payloads() == [b'{"vendor":"\xe4\xff"}']


async def test_strict_stations_are_closed_on_bad_utf8(open_house: OpenHouse) -> None:
    house = await open_house(door=Door(strict=True))
    station = await RawStation.connect(house.port)
    station.send(TEXT, "größe 你".encode())
    station.send(TEXT, b"\xe4", fin=False)  # a character may be split between fragments
    station.send(CONTINUATION, b"\xbd\xa0")
    station.send(TEXT, b"\xe4\xff")
    assert await station.close_code() == 1007
    assert house.owner.payloads() == ["größe 你".encode(), "你".encode()]


async def test_nothing_is_delivered_after_a_close_of_ours(house: House) -> None:
    house.owner.react = lambda connection, _: connection.close(1008, "enough")
    station = await RawStation.connect(house.port)
    station.writer.write(frame(TEXT, b"first") + frame(TEXT, b"second"))
    assert await station.close_code() == 1008
    station.send(TEXT, b"third")
    station.send(CLOSE, b"\x03\xf0")
    assert await station.is_hung_up()
    assert await house.owner.end() == (1008, "enough")
    assert house.owner.payloads() == [b"first"]


@pytest.mark.parametrize(
    ("payload", "answer", "told"),
    [
        (b"\x03\xe8bye", 1000, (1000, "bye")),
        (b"", 1000, (1005, "")),
        (b"\x0f\xa0", 4000, (4000, "")),
        (b"\x03\xe9", 1001, (1001, "")),
    ],
)
async def test_a_close_of_the_station_is_answered(
    house: House, payload: bytes, answer: int, told: tuple[int, str]
) -> None:
    station = await RawStation.connect(house.port)
    station.writer.write(frame(TEXT, b"last") + frame(CLOSE, payload) + frame(TEXT, b"ghost"))
    assert await station.close_code() == answer
    assert await station.is_hung_up()
    assert await house.owner.end() == told
    assert house.owner.payloads() == [b"last"]


async def test_a_station_that_does_not_answer_our_close_is_dropped(house: House) -> None:
    station = await RawStation.connect(house.port)
    await house.owner.until(lambda: bool(house.owner.opened_connections))
    connection = house.owner.opened_connections[0]
    connection.close(1000, "x" * 500)
    assert not connection.is_open
    connection.send(b"too late")
    connection.close(1011)
    assert await station.close_code() == 1000
    assert await station.is_hung_up()
    code, reason = await house.owner.end()
    assert code == 1000
    assert reason.startswith("xxx")


async def test_a_vanished_socket_is_told(house: House) -> None:
    station = await RawStation.connect(house.port)
    station.drop()
    assert await house.owner.end() == (1006, "connection lost")


async def test_abort_is_told_with_its_reason(house: House) -> None:
    station = await RawStation.connect(house.port)
    await house.owner.until(lambda: bool(house.owner.opened_connections))
    house.owner.opened_connections[0].abort("replaced")
    assert await station.is_hung_up()
    assert await house.owner.end() == (1006, "replaced")


async def test_while_paused_nothing_is_delivered_and_nothing_is_lost(house: House) -> None:
    house.owner.react = lambda connection, text: connection.pause_reading() if text in (b"0", b"5") else None
    station = await RawStation.connect(house.port)
    station.writer.write(b"".join(frame(TEXT, b"%d" % n) for n in range(10)))
    await house.owner.until(lambda: bool(house.owner.texts))
    await asyncio.sleep(0.05)
    assert house.owner.payloads() == [b"0"]
    (connection,) = house.owner.opened_connections
    connection.resume_reading()
    assert house.owner.payloads() == [b"0", b"1", b"2", b"3", b"4", b"5"]
    station.send(TEXT, b"10")
    await asyncio.sleep(0.05)
    assert len(house.owner.texts) == 6
    connection.resume_reading()
    await house.owner.until(lambda: len(house.owner.texts) == 11)
    assert house.owner.payloads() == [b"%d" % n for n in range(11)]


async def test_what_a_paused_station_said_before_it_hung_up_is_delivered(house: House) -> None:
    house.owner.react = lambda connection, _: connection.pause_reading()
    station = await RawStation.connect(house.port)
    station.writer.write(frame(TEXT, b"a") + frame(TEXT, b"b") + frame(CLOSE, b"\x03\xe8"))
    assert await house.owner.end() == (1000, "")
    assert house.owner.payloads() == [b"a", b"b"]


async def test_a_paused_connection_can_be_closed(house: House) -> None:
    station = await RawStation.connect(house.port)
    await house.owner.until(lambda: bool(house.owner.opened_connections))
    connection = house.owner.opened_connections[0]
    connection.pause_reading()
    connection.close(1001, "going")
    station.send(CLOSE, b"\x03\xe9")
    assert await station.close_code() == 1001
    assert await house.owner.end() == (1001, "going")
    connection.resume_reading()


async def test_a_station_that_does_not_read_is_dropped(open_house: OpenHouse) -> None:
    house = await open_house(Limits(write_buffer_bytes=100_000, close_timeout_s=0.5))
    reader = await RawStation.connect(house.port, "/ocpp/READER")
    station = await RawStation.connect(house.port, "/ocpp/DEAF")
    station.stop_reading()
    await house.owner.until(lambda: len(house.owner.opened_connections) == 2)
    neighbour, deaf = house.owner.opened_connections
    sent = 0
    while deaf.is_open:
        deaf.send(b"x" * 60_000)
        sent += 1
        assert sent < 1000
    assert (await house.owner.end())[0] == 1006
    assert house.owner.ends[0][0] is deaf
    assert house.owner.ends[0][2] == "station does not read"
    neighbour.send(b"still here")
    assert await reader.receive() == (0x81, b"still here")


async def test_pings_of_a_station_that_does_not_read_do_not_pile_up(open_house: OpenHouse) -> None:
    house = await open_house(Limits(write_buffer_bytes=10_000, close_timeout_s=0.5))
    station = await RawStation.connect(house.port)
    station.stop_reading()
    pings = frame(PING, b"x" * 125) * 500

    async def flood() -> None:
        while not house.owner.ends:
            station.writer.write(pings)
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await flood()
    assert house.owner.ends[0][1:] == (1006, "station does not read")


async def test_the_late_end_of_an_old_socket_is_its_own(house: House) -> None:
    old = await RawStation.connect(house.port)
    new = await RawStation.connect(house.port)
    await house.owner.until(lambda: len(house.owner.opened_connections) == 2)
    first, second = house.owner.opened_connections
    assert first is not second
    old.drop()
    await house.owner.until(lambda: bool(house.owner.ends))
    assert house.owner.ends[0][0] is first
    assert second.is_open
    second.send(b"yours")
    assert await new.receive() == (0x81, b"yours")
    assert house.listener.connections == 1


async def test_a_fault_of_the_owner_ends_that_connection_only(house: House) -> None:
    def fail(connection: object, text: bytes) -> None:
        if text == b"boom":
            raise ValueError("a fault")

    house.owner.react = fail
    bad = await RawStation.connect(house.port, "/ocpp/BAD")
    good = await RawStation.connect(house.port, "/ocpp/GOOD")
    bad.send(TEXT, b"boom")
    assert await bad.close_code() == 1011
    good.send(TEXT, b"fine")
    good.send(PONG, b"unasked")
    await house.owner.until(lambda: b"fine" in house.owner.payloads() and bool(house.owner.ends))
    assert house.owner.ends[0][1] == 1011
    assert house.listener.connections == 1
