"""Sockets to other back ends, opened as a station opens its own. Spec: OCPP-J 1.6 3; 2.0.1 part 4."""

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from picows import WSCloseCode, WSError, WSListener, WSMsgType, WSTransport, ws_connect

from pilotwire.domain.relays.ports import BackEndRefused, BackEndSocket
from pilotwire.integrations.egress import EgressPolicy, EgressRefused

__all__ = ["BackEndDialer"]

_HANDSHAKE_S = 15.0
_LARGEST_FRAME = 1024 * 1024
_PING_S = 60


class BackEndDialer:
    """Opens sockets within the egress policy; its `http` words hold for `ws`, and `https` for `wss`."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy

    async def __call__(
        self,
        url: str,
        identity: str,
        password: bytes,
        subprotocol: str,
        *,
        received: Callable[[bytes], None],
        lost: Callable[[], None],
    ) -> BackEndSocket:
        """Open a socket for a station.

        Raises: BackEndRefused with words for people.
        """
        headers = {"Sec-WebSocket-Protocol": subprotocol}
        if password:
            pair = base64.b64encode(identity.encode() + b":" + password).decode()
            headers["Authorization"] = f"Basic {pair}"
        try:
            parts = self._policy.check("http" + url.removeprefix("ws"))
            address, port = await self._policy.resolve(parts)
            secure = parts.scheme == "https"
            transport, listener = await ws_connect(
                lambda: _Listener(received, lost),
                f"{url.rstrip('/')}/{quote(identity, safe='')}",
                ssl_context=ssl.create_default_context() if secure else None,
                websocket_handshake_timeout=_HANDSHAKE_S,
                extra_headers=headers,
                max_frame_size=_LARGEST_FRAME,
                enable_auto_ping=True,
                auto_ping_idle_timeout=_PING_S,
                max_redirects=0,
                socket_factory=lambda _: _connected(str(address), port),
            )
        except EgressRefused as error:
            raise BackEndRefused(str(error)) from error
        except (WSError, OSError, ssl.SSLError, TimeoutError) as error:
            raise BackEndRefused(f"the other back end did not take the connection: {error}"[:300]) from error
        assert isinstance(listener, _Listener)  # noqa: S101 - made above
        return _Socket(transport)


async def _connected(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    made.setblocking(False)
    try:
        async with asyncio.timeout(_HANDSHAKE_S):
            await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


class _Listener(WSListener):
    def __init__(self, received: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        super().__init__()
        self._received = received
        self._lost = lost
        self._parts = bytearray()

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._parts += frame.get_payload_as_bytes()
            if len(self._parts) > _LARGEST_FRAME:
                transport.disconnect()
            elif frame.fin:
                text = bytes(self._parts)
                self._parts.clear()
                self._received(text)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: Any) -> None:
        del transport
        self._lost()


class _Socket:
    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport

    def send(self, text: bytes) -> None:
        if not self._transport.underlying_transport.is_closing():
            self._transport.send(WSMsgType.TEXT, text)

    def close(self) -> None:
        if not self._transport.underlying_transport.is_closing():
            self._transport.send_close(WSCloseCode.GOING_AWAY)
            self._transport.disconnect()
