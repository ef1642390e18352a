"""Who gets in, and what the others are told."""

import asyncio
import random

import pytest
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from pilotwire.ocpp.gateway import Admit, Credentials, Handshake, HandshakeProblem, Limits, Refuse
from tests.integration.ocpp.gateway.conftest import Door, House, OpenHouse
from tests.support.raw_station import TEXT, RawStation, basic, upgrade_head


@pytest.mark.covers("TC_085", "TC_A_01")
async def test_an_independent_client_connects(house: House) -> None:
    house.owner.react = lambda connection, text: connection.send(text)
    uri = f"ws://127.0.0.1:{house.port}/ocpp/CP-1"
    async with connect(uri, subprotocols=["ocpp1.6", "ocpp2.0.1"], compression=None) as client:  # type: ignore[list-item]
        assert client.subprotocol == "ocpp2.0.1"
        await client.send('[2,"1","Heartbeat",{}]')
        assert await client.recv() == '[2,"1","Heartbeat",{}]'
        await (await client.ping())
    assert await house.owner.end() == (1000, "")
    (handshake,) = house.door.heard
    assert handshake.offered == ("ocpp1.6", "ocpp2.0.1")
    assert not handshake.secure
    assert "websockets" in handshake.user_agent


async def test_a_picows_client_connects(house: House) -> None:
    house.owner.react = lambda connection, text: connection.send(text)
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    class Client(WSListener):
        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            answers.put_nowait(frame.get_payload_as_bytes())

    transport, _ = await ws_connect(Client, f"ws://127.0.0.1:{house.port}/ocpp/CP-1")
    transport.send(WSMsgType.TEXT, b"hello")
    assert await asyncio.wait_for(answers.get(), 5) == b"hello"
    transport.disconnect()
    await house.owner.end()


@pytest.mark.parametrize(
    ("headers", "answer", "version"),
    [
        ([], None, "ocpp1.6"),
        (["Sec-WebSocket-Protocol: ocpp2.1"], "ocpp2.1", "ocpp2.1"),
        (["Sec-WebSocket-Protocol: OCPP1.6"], "OCPP1.6", "ocpp1.6"),
        (["Sec-WebSocket-Protocol: ocpp16, chat"], "ocpp16", "ocpp1.6"),
        (["Sec-WebSocket-Protocol: ocpp1.6", "Sec-WebSocket-Protocol: ocpp2.0.1"], "ocpp2.0.1", "ocpp2.0.1"),
    ],
)
@pytest.mark.covers("TC_088", "TC_B_58")
async def test_the_subprotocol(house: House, headers: list[str], answer: str | None, version: str) -> None:
    station = await RawStation.connect(house.port, "/ocpp/CP-1", *headers)
    assert station.answer.status == 101
    assert station.answer.headers.get("sec-websocket-protocol") == answer
    await house.owner.until(lambda: bool(house.owner.opened_connections))
    assert house.owner.opened_connections[0].subprotocol == version


async def test_unknown_subprotocols_are_refused_with_a_reason(house: House) -> None:
    station = await RawStation.connect(house.port, "/ocpp/CP-1", "Sec-WebSocket-Protocol: ocpp1.5")
    assert station.answer.status == 400
    assert b"subprotocol" in station.answer.body
    assert house.problems == [HandshakeProblem.SUBPROTOCOL_UNKNOWN]


@pytest.mark.parametrize("connection", [None, "keep-alive, Upgrade", "upgrade", "close"])
async def test_odd_connection_headers_do_not_matter(house: House, connection: str | None) -> None:
    station = await RawStation.dial(house.port)
    answer = await station.ask(upgrade_head("/ocpp/CP-1", connection=connection))
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == "ICX+Yqv66kxgM0FcWaLWlFLwTAI="


async def test_a_binary_password_reaches_the_doorkeeper_as_it_was_sent(open_house: OpenHouse) -> None:
    secret = bytes(range(256))
    house = await open_house(door=Door(password=secret))
    station = await RawStation.connect(house.port, "/ocpp/CP-1", basic(b"CP-1", secret))
    assert station.answer.status == 101
    assert house.door.heard[0].authorization == Credentials(b"CP-1", secret)


async def test_wrong_password_and_unknown_identity_look_the_same(open_house: OpenHouse) -> None:
    house = await open_house(door=Door(password=b"right"))
    wrong = await RawStation.connect(house.port, "/ocpp/CP-1", basic(b"CP-1", b"wrong"))
    unknown = await RawStation.connect(house.port, "/ocpp/NOBODY", basic(b"NOBODY", b"right"))
    assert wrong.answer == unknown.answer
    assert wrong.answer.status == 401
    assert wrong.answer.headers["www-authenticate"].startswith("Basic")
    assert await wrong.is_hung_up()
    assert house.problems == [HandshakeProblem.UNKNOWN_IDENTITY, HandshakeProblem.WRONG_PASSWORD]
    assert house.owner.opened_connections == []


async def test_a_browser_gets_a_helpful_page(house: House) -> None:
    station = await RawStation.dial(house.port)
    answer = await station.ask(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n")
    assert answer.status == 426
    assert b"/ocpp" in answer.body
    assert answer.headers["upgrade"] == "websocket"
    assert house.problems == [HandshakeProblem.NOT_WEBSOCKET]


async def test_a_path_without_identity(house: House) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://127.0.0.1:{house.port}/ocpp/")
    assert refusal.value.response.status_code == 404
    assert house.problems == [HandshakeProblem.WRONG_PATH]


async def test_tls_on_the_plain_port_is_answered_and_explained(house: House) -> None:
    station = await RawStation.dial(house.port)
    station.writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50)
    assert await station.is_hung_up()
    assert house.problems == [HandshakeProblem.TLS_ON_PLAIN_PORT]


async def test_an_endless_head_is_cut_off(house: House) -> None:
    station = await RawStation.dial(house.port)
    answer = await station.ask(b"GET /ocpp/CP-1 HTTP/1.1\r\nX: " + b"x" * 20_000)
    assert answer.status == 400
    assert house.problems == [HandshakeProblem.MALFORMED_REQUEST]


async def test_a_head_in_small_pieces(house: House) -> None:
    station = await RawStation.dial(house.port)
    head = upgrade_head("/ocpp/CP-1", "X-Long: " + "y" * 3000)
    for start in range(0, len(head) - 1, 700):
        station.writer.write(head[start : min(start + 700, len(head) - 1)])
        await asyncio.sleep(0.002)
    assert (await station.ask(head[-1:])).status == 101


async def test_a_handshake_that_never_comes_is_dropped(open_house: OpenHouse) -> None:
    house = await open_house(Limits(handshake_timeout_s=0.2))
    silent = await RawStation.dial(house.port)
    slow = await RawStation.dial(house.port)
    slow.writer.write(b"GET /ocpp/SLOW HTTP/1.1\r\n")
    await house.owner.until(lambda: house.listener.pending == 2)
    assert await silent.is_hung_up()
    assert await slow.is_hung_up()
    await house.owner.until(lambda: house.listener.pending == 0)
    assert house.problems == [HandshakeProblem.TIMED_OUT, HandshakeProblem.TIMED_OUT]
    assert {entry.subject for entry in house.listener.handshake_log.entries()} == {
        "/ocpp/SLOW",
        "(before the request)",
    }


async def test_a_port_check_is_no_failure(house: House) -> None:
    station = await RawStation.dial(house.port)
    await house.owner.until(lambda: house.listener.pending == 1)
    station.writer.close()
    await station.writer.wait_closed()
    await house.owner.until(lambda: house.listener.pending == 0)
    assert house.problems == []


async def test_hanging_sockets_of_one_address_are_bounded(open_house: OpenHouse) -> None:
    house = await open_house(Limits(max_pending_per_address=3))
    waiting = [await RawStation.dial(house.port) for _ in range(3)]
    await house.owner.until(lambda: house.listener.pending == 3)
    late = await RawStation.dial(house.port)
    assert await late.is_hung_up()
    assert house.problems == [HandshakeProblem.OVERLOADED]
    assert (await waiting[0].ask(upgrade_head("/ocpp/CP-1"))).status == 101
    fresh = await RawStation.connect(house.port, "/ocpp/CP-2")
    assert fresh.answer.status == 101


async def test_guessing_does_not_lock_the_station_out(open_house: OpenHouse) -> None:
    house = await open_house(
        Limits(guesses_burst_known_address=4, guesses_burst_per_pair=2), door=Door(password=b"right")
    )
    statuses = []
    for _ in range(10):
        station = await RawStation.connect(house.port, "/ocpp/CP-1", basic(b"CP-1", b"guess"))
        statuses.append((station.answer.status, "retry-after" in station.answer.headers))
    assert statuses == [(401, False)] * 2 + [(429, True)] * 8
    # The listener was told where the station was last seen: an address with a budget of its own.
    house.listener.recall_success("CP-1", "127.0.0.1")
    genuine = await RawStation.connect(house.port, "/ocpp/CP-1", basic(b"CP-1", b"right"))
    assert genuine.answer.status == 101
    assert HandshakeProblem.TOO_MANY_ATTEMPTS in house.problems


async def test_a_thousand_refused_handshakes_leave_bounded_traces(open_house: OpenHouse) -> None:
    house = await open_house(door=Door(password=b"right"))

    async def knock(number: int) -> int:
        station = await RawStation.connect(
            house.port, f"/ocpp/GUESS{number}", basic(b"x", b"%d" % number), "Sec-WebSocket-Protocol: ocpp1.6"
        )
        station.writer.close()
        return station.answer.status

    for start in range(0, 1000, 100):
        assert set(await asyncio.gather(*(knock(n) for n in range(start, start + 100)))) == {401}
    await house.owner.until(lambda: house.listener.pending == 0)
    assert house.owner.opened_connections == []
    assert house.listener.connections == 0
    entries = house.listener.handshake_log.entries()
    assert len(entries) <= 101
    assert sum(entry.count for entry in entries) == 1000


async def test_random_bytes_leave_the_neighbours_undisturbed(house: House) -> None:
    rng = random.Random(2)
    house.owner.react = lambda connection, text: connection.send(text)
    neighbour = await RawStation.connect(house.port, "/ocpp/NEIGHBOUR")
    for number in range(300):
        station = await RawStation.dial(house.port)
        noise = rng.randbytes(rng.randrange(1, 3000))
        if number % 3 == 1:
            noise = b"GET " + noise
        elif number % 3 == 2:
            assert (await station.ask(upgrade_head(f"/ocpp/FUZZ{number}"))).status == 101
        station.writer.write(noise)
        if number % 10 == 0:
            neighbour.send(TEXT, b"%d" % number)
            assert await neighbour.receive() == (0x81, b"%d" % number)
        await asyncio.sleep(0)
        if number % 2:
            station.writer.close()
        else:
            station.drop()
    await house.owner.until(lambda: house.listener.connections == 1 and house.listener.pending == 0)
    neighbour.send(TEXT, b"end")
    assert await neighbour.receive() == (0x81, b"end")


async def test_a_failing_doorkeeper_tells_the_station_nothing(open_house: OpenHouse) -> None:
    class Broken(Door):
        def decide(self, handshake: Handshake) -> Admit | Refuse:
            raise RuntimeError("secret detail")

    house = await open_house(door=Broken())
    station = await RawStation.connect(house.port)
    assert station.answer.status == 503
    assert b"secret" not in station.answer.body
    assert house.problems == [HandshakeProblem.INTERNAL_FAULT]
