"""A small MQTT 3.1.1 broker on any port: sign-in, subscriptions by exact topic, messages at most once, retained ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

__all__ = ["Broker", "small_broker"]

_CONNECT, _PUBLISH, _SUBSCRIBE, _PING, _DISCONNECT = 1, 3, 8, 12, 14


def _text(data: bytes, at: int) -> tuple[str, int]:
    size = int.from_bytes(data[at : at + 2], "big")
    return data[at + 2 : at + 2 + size].decode(), at + 2 + size


def _framed(head: int, body: bytes) -> bytes:
    size, length = len(body), b""
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([head]) + length + body


@dataclass
class Broker:
    """Who listens, and what is kept for those who come later."""

    port: int = 0
    password: str = ""
    retained: dict[str, bytes] = field(default_factory=dict)
    listeners: list[tuple[str, asyncio.StreamWriter]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    published: list[tuple[str, bytes]] = field(default_factory=list)
    """What clients have sent."""
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send a message to who listens now."""
        for wanted, writer in self.listeners:
            if wanted == topic and not writer.is_closing():
                writer.write(self._message(topic, payload, retain=False))
                await writer.drain()

    def drop(self) -> None:
        """Cut all connections."""
        for _, writer in self.listeners:
            writer.close()
        self.listeners.clear()

    async def end(self) -> None:
        """Cut all connections, also of those who listen to nothing, and wait until their sockets are closed."""
        self.drop()
        for task in list(self.serving):
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        try:
            while True:
                head = (await reader.readexactly(1))[0]
                body = await reader.readexactly(await self._length(reader))
                kind = head >> 4
                if kind == _CONNECT:
                    good = self._signed_in(body)
                    writer.write(_framed(0x20, bytes([0, 0 if good else 5])))
                    if not good:
                        break
                elif kind == _PUBLISH:
                    topic, at = _text(body, 0)
                    self.published.append((topic, body[at:]))
                elif kind == _SUBSCRIBE:
                    topic, _ = _text(body, 2)
                    writer.write(_framed(0x90, body[:2] + b"\x00"))
                    if topic in self.retained:
                        writer.write(self._message(topic, self.retained[topic], retain=True))
                    self.listeners.append((topic, writer))
                elif kind == _PING:
                    writer.write(_framed(0xD0, b""))
                elif kind == _DISCONNECT:
                    break
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.listeners = [each for each in self.listeners if each[1] is not writer]
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.serving.discard(task)

    def _signed_in(self, body: bytes) -> bool:
        _, at = _text(body, 0)
        flags = body[at + 1]
        client, at = _text(body, at + 4)
        self.seen.append(client)
        password = ""
        if flags & 0x80:
            _, at = _text(body, at)
        if flags & 0x40:
            password, at = _text(body, at)
        return password == self.password

    @staticmethod
    def _message(topic: str, payload: bytes, *, retain: bool) -> bytes:
        name = topic.encode()
        return _framed(0x30 | retain, len(name).to_bytes(2, "big") + name + payload)

    @staticmethod
    async def _length(reader: asyncio.StreamReader) -> int:
        size, shift = 0, 0
        while True:
            digit = (await reader.readexactly(1))[0]
            size |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return size


@asynccontextmanager
async def small_broker(password: str = "") -> AsyncIterator[Broker]:
    """Listen on any port of this machine."""
    broker = Broker(password=password)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        await broker.end()
