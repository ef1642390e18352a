"""A WebSocket client that can be made to break every rule, for tests of the gateway."""

import asyncio
import ssl
import struct
from base64 import b64encode
from dataclasses import dataclass, field
from typing import cast

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
PATIENCE_S = 5.0
_DIALLED: list[asyncio.StreamWriter] = []


def basic(user: bytes, password: bytes) -> str:
    """An Authorization header."""
    return "Authorization: Basic " + b64encode(user + b":" + password).decode()


def upgrade_head(path: str, *headers: str, connection: str | None = "Upgrade") -> bytes:
    """A request head that asks for a WebSocket."""
    lines = [f"GET {path} HTTP/1.1", "Host: csms.test", "Upgrade: websocket"]
    if connection is not None:
        lines.append(f"Connection: {connection}")
    lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {_KEY}", *headers, "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """One frame. `rsv` holds the three reserved bits, RSV1 the highest."""
    head = bytes([(0x80 if fin else 0) | (rsv << 4) | opcode])
    mask_bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65536:
        head += bytes([mask_bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    mask = b"\x11\x22\x33\x44"
    key = (mask * (size // 4 + 1))[:size]
    body = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    return head + mask + body


def drop_all() -> None:
    """Close every socket that was dialled; for the end of a test."""
    while _DIALLED:
        writer = _DIALLED.pop()
        writer.close()  # uvloop's transports do not call themselves closing after an abort alone
        writer.transport.abort()


@dataclass
class Answer:
    """The HTTP answer to a handshake."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class RawStation:
    """A socket after (or before) the handshake."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: Answer = field(default_factory=lambda: Answer(0, {}, b""))

    @classmethod
    async def dial(cls, port: int, tls: ssl.SSLContext | None = None) -> "RawStation":
        """Open the socket only."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        _DIALLED.append(writer)
        return cls(reader, writer)

    @classmethod
    async def connect(
        cls, port: int, path: str = "/ocpp/CP-1", *headers: str, tls: ssl.SSLContext | None = None
    ) -> "RawStation":
        """Open the socket and ask for a WebSocket; `answer` tells what came back."""
        station = await cls.dial(port, tls)
        await station.ask(upgrade_head(path, *headers))
        return station

    async def ask(self, head: bytes) -> Answer:
        """Send a request head and read the answer."""
        self.writer.write(head)
        async with asyncio.timeout(PATIENCE_S):
            raw = await self.reader.readuntil(b"\r\n\r\n")
            lines = raw.decode().split("\r\n")
            headers = {}
            for line in lines[1:-2]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        self.answer = Answer(int(lines[0].split(" ")[1]), headers, body)
        return self.answer

    def send(self, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> None:
        """Send one frame."""
        self.writer.write(frame(opcode, payload, fin=fin, rsv=rsv))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: first byte (FIN, RSV, opcode) and payload."""
        async with asyncio.timeout(PATIENCE_S):
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack(">H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", await self.reader.readexactly(8))
            return first, await self.reader.readexactly(size)

    async def close_code(self) -> int:
        """Read on until the CLOSE frame and give its code."""
        while True:
            first, payload = await self.receive()
            if first & 0x0F == CLOSE:
                return int.from_bytes(payload[:2], "big") if payload else 1005

    async def is_hung_up(self) -> bool:
        """Whether the server ends the socket (whatever it sends before)."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while await self.reader.read(65536):
                    pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def stop_reading(self) -> None:
        """Leave what comes in the kernel's buffers."""
        cast("asyncio.Transport", self.writer.transport).pause_reading()

    def drop(self) -> None:
        """Vanish without a word."""
        self.writer.transport.abort()
