"""How a connection fares below HTTP: whether what was sent has arrived, how it ended, and a short way for streams."""

import asyncio
import contextlib
import fcntl
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["WatchedProtocol", "has_arrived", "send_part"]

_SIOCOUTQ = 0x5411  # Linux: bytes that the other side has not acknowledged
_LOOK_S = 0.05
_PATIENCE_S = 5.0
_AFTERWARDS_S = 2.0
_KEY = "pilotwire_connection"


class WatchedProtocol(H11Protocol):
    """Uvicorn's protocol, which lets an application look at its connection by the state in the scope."""

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, {**app_state, _KEY: self}, _loop)
        self.lost = asyncio.Event()
        self.broken = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Note how the connection ended: a side that has not read everything resets it."""
        self.broken = exc is not None
        self.lost.set()
        super().connection_lost(exc)

    @property
    def unsent_bytes(self) -> int:
        """What has not reached the other side's machine."""
        waiting: int = self.transport.get_write_buffer_size()
        connection = self.transport.get_extra_info("socket")
        if isinstance(connection, socket.socket) or hasattr(connection, "fileno"):
            with contextlib.suppress(OSError, ValueError):
                queued = fcntl.ioctl(connection.fileno(), _SIOCOUTQ, struct.pack("i", 0))
                waiting += struct.unpack("i", queued)[0]
        return waiting


async def send_part(scope: Any, part: bytes, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Send a part of a body whose length was not stated.

    On a chunked answer it goes straight to the socket: h11 checks every part in Python, which is most of what a stream
    with many readers costs. Its state stays "sending a body", so the end is sent by `send` as ever.
    """
    connection = _connection(scope)
    if connection is None or scope["http_version"] != "1.1" or scope["method"] != "GET":
        await send({"type": "http.response.body", "more_body": True, "body": part})
        return
    if connection.flow.write_paused and not connection.lost.is_set():
        await connection.flow.drain()
    if part and not connection.transport.is_closing():
        connection.transport.write(b"%x\r\n%b\r\n" % (len(part), part))


async def has_arrived(scope: Any) -> bool:
    """Tell whether all that was sent has been acknowledged and is not refused in the next moment.

    A side that ends the connection before it has read everything resets it.
    """
    connection = _connection(scope)
    if connection is None:
        return True
    until = asyncio.get_running_loop().time() + _PATIENCE_S
    while not connection.lost.is_set() and connection.unsent_bytes > 0:
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(_LOOK_S)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_AFTERWARDS_S):
            await connection.lost.wait()
    return not connection.broken


def _connection(scope: Any) -> WatchedProtocol | None:
    found = scope.get("state", {}).get(_KEY)
    return found if isinstance(found, WatchedProtocol) else None
