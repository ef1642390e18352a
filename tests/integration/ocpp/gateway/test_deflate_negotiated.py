"""permessage-deflate on the wire."""

import json

import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from pilotwire.ocpp.gateway import Limits
from pilotwire.ocpp.gateway.deflate import Deflate
from tests.integration.ocpp.gateway.conftest import Door, House, OpenHouse
from tests.support.raw_station import CONTINUATION, TEXT, RawStation

OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"


@pytest.mark.parametrize(
    "factory",
    [
        ClientPerMessageDeflateFactory(),
        ClientPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9),
        ClientPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True),
    ],
)
async def test_an_independent_client_compresses(
    house: House, factory: ClientPerMessageDeflateFactory
) -> None:
    house.owner.react = lambda connection, text: connection.send(text)
    uri = f"ws://127.0.0.1:{house.port}/ocpp/CP-1"
    async with connect(uri, compression=None, extensions=[factory]) as client:
        extensions = client.response.headers["Sec-WebSocket-Extensions"] if client.response else ""
        assert "server_no_context_takeover" in extensions
        assert "client_no_context_takeover" in extensions
        for size in (1, 10, 300, 5000, 60_000):
            message = json.dumps([2, str(size), "DataTransfer", {"data": "Ladesäule " * size}])[:400_000]
            await client.send(message)
            assert await client.recv() == message


async def test_short_texts_go_uncompressed_and_long_ones_compressed(house: House) -> None:
    house.owner.react = lambda connection, text: connection.send(text)
    station = await RawStation.connect(house.port, "/ocpp/CP-1", OFFER)
    station.send(TEXT, b"short")
    assert await station.receive() == (0x81, b"short")
    station.send(TEXT, b"long " * 200)
    first, payload = await station.receive()
    assert first == 0xC1
    assert len(payload) < 100
    assert Deflate().inflate(payload, 10_000) == b"long " * 200


async def test_a_compressed_message_may_be_fragmented(house: House) -> None:
    station = await RawStation.connect(house.port, "/ocpp/CP-1", OFFER)
    data = Deflate().compress(b"fragment " * 100)
    station.send(TEXT, data[:5], fin=False, rsv=0b100)
    station.send(CONTINUATION, data[5:])
    station.send(TEXT, b"plain")
    await house.owner.until(lambda: len(house.owner.texts) == 2)
    assert house.owner.payloads() == [b"fragment " * 100, b"plain"]


async def test_a_bomb_is_closed_as_too_big(open_house: OpenHouse) -> None:
    house = await open_house(Limits(max_message_bytes=100_000, close_timeout_s=0.5))
    station = await RawStation.connect(house.port, "/ocpp/CP-1", OFFER)
    bomb = Deflate().compress(b"\x00" * 10_000_000)
    assert len(bomb) < 100_000
    station.send(TEXT, bomb, rsv=0b100)
    assert await station.close_code() == 1009
    assert house.owner.texts == []


async def test_what_cannot_be_inflated_is_closed(house: House) -> None:
    station = await RawStation.connect(house.port, "/ocpp/CP-1", OFFER)
    station.send(TEXT, b"\xff\xff\xff\xff", rsv=0b100)
    assert await station.close_code() == 1007
    assert house.owner.texts == []


async def test_the_doorkeeper_can_forbid_it(open_house: OpenHouse) -> None:
    house = await open_house(door=Door(deflate=False))
    station = await RawStation.connect(house.port, "/ocpp/CP-1", OFFER)
    assert "sec-websocket-extensions" not in station.answer.headers
    station.send(TEXT, b"x", rsv=0b100)
    assert await station.close_code() == 1002
