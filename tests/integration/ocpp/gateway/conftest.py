"""A listener with a doorkeeper and an owner that write down what they hear."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import uvloop

from pilotwire.ocpp.gateway import (
    Admit,
    Connection,
    Endpoint,
    Handshake,
    HandshakeProblem,
    Limits,
    Listener,
    Refuse,
    TlsFiles,
    choose_subprotocol,
)
from tests.support.certificates import Authority
from tests.support.raw_station import drop_all


@dataclass
class Door:
    """Admits everybody but NOBODY; asks for no password unless told to."""

    password: bytes | None = None
    ping: bool = True
    strict: bool = False
    deflate: bool = True
    heard: list[Handshake] = field(default_factory=list)

    def decide(self, handshake: Handshake) -> Admit | Refuse:
        self.heard.append(handshake)
        identity = handshake.identity_candidates[0]
        if identity == "NOBODY":
            return Refuse(401, HandshakeProblem.UNKNOWN_IDENTITY)
        if self.password is not None and (
            handshake.authorization is None or handshake.authorization.password != self.password
        ):
            return Refuse(401, HandshakeProblem.WRONG_PASSWORD)
        choice = choose_subprotocol(handshake.offered)
        if choice is None:
            return Refuse(400, HandshakeProblem.SUBPROTOCOL_UNKNOWN)
        return Admit(
            f"station {identity}",
            identity,
            choice.header,
            ping=self.ping,
            utf8="strict" if self.strict else "pass",
            deflate=self.deflate,
        )


@dataclass
class Owner:
    """Writes down what comes; `react` may do more with a text."""

    opened_connections: list[Connection] = field(default_factory=list)
    texts: list[tuple[Connection, bytes]] = field(default_factory=list)
    ends: list[tuple[Connection, int, str]] = field(default_factory=list)
    react: Callable[[Connection, bytes], None] | None = None

    def opened(self, connection: Connection) -> Callable[[bytes], None]:
        self.opened_connections.append(connection)
        return partial(self._received, connection)

    def _received(self, connection: Connection, text: bytes) -> None:
        self.texts.append((connection, text))
        if self.react is not None:
            self.react(connection, text)

    def closed(self, connection: Connection, code: int, reason: str) -> None:
        self.ends.append((connection, code, reason))

    def payloads(self) -> list[bytes]:
        return [text for _, text in self.texts]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; fails after a while."""
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0.005)
        pytest.fail("it did not come to pass")

    async def end(self) -> tuple[int, str]:
        """How the (only) connection ended."""
        await self.until(lambda: bool(self.ends))
        assert len(self.ends) == 1
        return self.ends[0][1:]


@dataclass
class House:
    """What a test works with."""

    listener: Listener
    door: Door
    owner: Owner
    endpoint: Endpoint

    @property
    def port(self) -> int:
        return self.endpoint.port

    @property
    def problems(self) -> list[HandshakeProblem]:
        return [entry.problem for entry in self.listener.handshake_log.entries()]


OpenHouse = Callable[..., Awaitable[House]]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the server runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def open_house() -> AsyncIterator[OpenHouse]:
    """Open a listener on a free port; it is drained after the test."""
    houses: list[House] = []

    async def open_one(
        limits: Limits | None = None,
        *,
        tls: TlsFiles | None = None,
        door: Door | None = None,
        tls_watch_s: float = 5.0,
    ) -> House:
        door, owner = door or Door(), Owner()
        listener = Listener(door, owner, limits or Limits(close_timeout_s=0.5), tls_watch_s=tls_watch_s)
        house = House(listener, door, owner, await listener.start("127.0.0.1", 0, tls))
        houses.append(house)
        return house

    yield open_one
    drop_all()
    for house in houses:
        await house.listener.drain(0.0)
        assert house.listener.connections == 0
        assert house.listener.pending == 0
        assert len(house.owner.ends) == len(house.owner.opened_connections)


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    """A plain listener with the usual limits."""
    return await open_house()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority of this test."""
    return Authority(tmp_path)
