"""The end of a stream that nobody reads, or that nobody may read any more."""

import asyncio
from typing import Any

import pytest

from pilotwire.bus import LocalBus
from pilotwire.web.api import events
from pilotwire.web.api.events import EventStream
from pilotwire.web.events import EventHub


class Peer:
    """The other end of a request: reads until `stuck`, and says goodbye when told."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.stuck = False
        self.gone = asyncio.Event()

    async def send(self, message: Any) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        self.sent.append(message.get("body", b""))

    async def receive(self) -> Any:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def _allowed() -> bool:
    return True


def _serve(hub: EventHub, peer: Peer, allowed: Any = _allowed) -> "asyncio.Task[None]":
    stream = EventStream(hub.open(1), allowed)
    return asyncio.create_task(stream({"type": "http"}, peer.receive, peer.send))


@pytest.fixture
async def hub() -> EventHub:
    return EventHub(LocalBus())


@pytest.fixture
async def peer() -> Peer:
    return Peer()


async def test_a_peer_that_stops_reading_is_given_up(
    hub: EventHub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_SLOWEST_SEND_S", 0.05)
    serving = _serve(hub, peer)
    await asyncio.sleep(0.01)
    assert hub.readers == 1
    peer.stuck = True
    hub.announce(1, "station.removed", {"station_id": "CP-1"})
    await asyncio.wait_for(serving, 5)
    assert hub.readers == 0


async def test_a_quiet_stream_is_kept_alive(
    hub: EventHub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_KEEP_ALIVE_S", 0.02)
    serving = _serve(hub, peer)
    await asyncio.sleep(0.1)
    assert b": keep-alive\n\n" in peer.sent
    peer.gone.set()
    await asyncio.wait_for(serving, 5)
    assert hub.readers == 0


async def test_a_stream_ends_with_the_right_to_read_it(
    hub: EventHub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_KEEP_ALIVE_S", 0.01)
    monkeypatch.setattr(events, "_CHECKED_EVERY_S", 0.02)
    answers = iter([True, True, False])

    async def asked() -> bool:
        return next(answers)

    await asyncio.wait_for(_serve(hub, peer, asked), 5)
    assert next(answers, None) is None, "it was asked until it said no"
    assert hub.readers == 0
