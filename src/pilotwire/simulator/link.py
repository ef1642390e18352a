"""The station's WebSocket.

Handshake with Basic auth, OCPP-J framing, one outstanding call, answers to the server's calls.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from pilotwire.simulator.rpc import (
    Call,
    CallFaultError,
    CallRefusedError,
    HandshakeRefusedError,
    LinkLostError,
    Payload,
)

CALL, RESULT, ERROR, RESULT_ERROR = 2, 3, 4, 5
OnCall = Callable[[str, Payload], Payload]


@dataclass(slots=True)
class Traffic:
    """Counters of a station's or a network's messages."""

    connections: int = 0
    handshakes_refused: int = 0
    sent: int = 0
    received: int = 0
    errors_received: int = 0
    errors_sent: int = 0
    timeouts: int = 0


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Where and how to connect. `url` is the server's base, without the identity; times in seconds."""

    url: str
    identity: str
    subprotocol: str | None
    ssl_context: ssl.SSLContext | None = None
    call_timeout_s: float = 30.0
    answer_delay_s: float = 0.0
    error_codes: tuple[tuple[str, str], ...] = ()
    """Spellings of fault codes that differ in this version."""


class Link:
    """One connection at a time; `open` again after it was lost."""

    def __init__(self, options: LinkOptions, on_call: OnCall, traffic: Traffic) -> None:
        self._options = options
        self._on_call = on_call
        self._traffic = traffic
        self._codes = dict(options.error_codes)
        self._transport: WSTransport | None = None
        self._pending: dict[str, asyncio.Future[Payload]] = {}
        self._turn = asyncio.Lock()
        self._lost = asyncio.Event()
        self._lost.set()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return not self._lost.is_set()

    async def open(self, password: str | None, ping_interval_s: int = 0) -> None:
        """Connect.

        Raises: HandshakeRefusedError when the server answers with another status than 101 or without the
        subprotocol; LinkLostError when it cannot be reached.
        """
        options = self._options
        headers = {}
        if options.subprotocol:
            headers["Sec-WebSocket-Protocol"] = options.subprotocol
        if password is not None:
            secret = base64.b64encode(f"{options.identity}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {secret}"
        try:
            transport, _ = await ws_connect(
                lambda: _Listener(self),
                f"{options.url.rstrip('/')}/{quote(options.identity, safe='')}",
                ssl_context=options.ssl_context,
                extra_headers=headers,
                websocket_handshake_timeout=options.call_timeout_s,
                enable_auto_ping=ping_interval_s > 0,
                auto_ping_idle_timeout=float(ping_interval_s or 60),
                auto_ping_reply_timeout=options.call_timeout_s,
                read_buffer_init_size=4096,
                max_redirects=0,
            )
        except WSHandshakeError as error:
            raise _refusal(error) from error
        except (OSError, WSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise LinkLostError(str(error) or type(error).__name__) from error
        chosen = transport.response.headers.get("Sec-WebSocket-Protocol")
        if options.subprotocol and chosen != options.subprotocol:
            transport.disconnect()
            raise HandshakeRefusedError(0, None, f"the server chose subprotocol {chosen}")
        if transport.is_disconnected:
            raise LinkLostError("closed at once")
        self._traffic.connections += 1
        self._transport = transport
        self._lost.clear()

    def close(self, code: WSCloseCode = WSCloseCode.OK) -> None:
        """Close politely; the connection counts as lost at once."""
        transport = self._transport
        if transport is not None and not transport.is_disconnected:
            transport.send_close(code)
            transport.disconnect()
        self._forget(transport)

    def cut(self) -> None:
        """Drop the connection without a word, as a power cut does."""
        transport = self._transport
        if transport is not None and not transport.is_disconnected:
            transport.underlying_transport.abort()
        self._forget(transport)

    async def wait_lost(self) -> None:
        """Wait until the connection is gone."""
        await self._lost.wait()

    async def call(self, call: Call) -> Payload:
        """Send a call when its turn comes and wait for the answer.

        Raises: CallRefusedError on a CALLERROR; LinkLostError without a connection or without an answer in
        time.
        """
        async with self._turn:
            transport = self._transport
            if transport is None or self._lost.is_set():
                raise LinkLostError("not connected")
            message_id = uuid.uuid4().hex
            future: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._pending[message_id] = future
            try:
                self._send(transport, [CALL, message_id, call.action, call.payload])
                async with asyncio.timeout(self._options.call_timeout_s):
                    return await future
            except TimeoutError as error:
                self._traffic.timeouts += 1
                self.cut()
                raise LinkLostError(f"no answer to {call.action}") from error
            finally:
                self._pending.pop(message_id, None)

    def _send(self, transport: WSTransport, frame: list[Any]) -> None:
        self._traffic.sent += 1
        transport.send(WSMsgType.TEXT, msgspec.json.encode(frame))

    def received(self, transport: WSTransport, text: bytes) -> None:
        """Take a whole message: an answer wakes its call, a call is answered."""
        self._traffic.received += 1
        try:
            frame = msgspec.json.decode(text)
            kind, message_id = frame[0], str(frame[1])
        except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
            self._error(transport, "-1", CallFaultError("ProtocolError", "not an OCPP-J message"))
            return
        if kind == CALL:
            self._answer(transport, message_id, frame)
        elif kind in (RESULT, ERROR):
            self._resolve(kind, message_id, frame)
        elif kind == RESULT_ERROR:
            self._traffic.errors_received += 1

    def _resolve(self, kind: int, message_id: str, frame: list[Any]) -> None:
        future = self._pending.get(message_id)
        if future is None or future.done():
            return
        if kind == RESULT and len(frame) > 2 and isinstance(frame[2], dict):
            future.set_result(frame[2])
            return
        self._traffic.errors_received += 1
        code, description = ([str(part) for part in frame[2:4]] + ["", ""])[:2]
        future.set_exception(CallRefusedError(code, description))

    def _answer(self, transport: WSTransport, message_id: str, frame: list[Any]) -> None:
        if len(frame) < 4 or not isinstance(frame[2], str) or not isinstance(frame[3], dict):
            self._error(
                transport, message_id, CallFaultError("FormatViolation", "a call has an action and an object")
            )
            return
        delay_s = self._options.answer_delay_s
        if delay_s > 0:
            asyncio.get_running_loop().call_later(delay_s, self._answer_now, transport, message_id, frame)
        else:
            self._answer_now(transport, message_id, frame)

    def _answer_now(self, transport: WSTransport, message_id: str, frame: list[Any]) -> None:
        if transport.is_disconnected:
            return
        try:
            result = self._on_call(frame[2], frame[3])
        except CallFaultError as fault:
            self._error(transport, message_id, fault)
            return
        self._send(transport, [RESULT, message_id, result])

    def _error(self, transport: WSTransport, message_id: str, fault: CallFaultError) -> None:
        self._traffic.errors_sent += 1
        code = self._codes.get(fault.code, fault.code)
        self._send(transport, [ERROR, message_id, code, fault.description[:255], {}])

    def lost(self, transport: WSTransport) -> None:
        """Note that a connection ended, if it is still ours."""
        self._forget(transport)

    def _forget(self, transport: WSTransport | None) -> None:
        if transport is not self._transport or transport is None:
            return
        self._transport = None
        self._lost.set()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(LinkLostError("the connection was lost"))


class _Listener(WSListener):
    """Puts fragments together: picows hands out frames, not messages."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._parts: list[bytes] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if kind not in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            return
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._link.received(transport, message)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._link.lost(transport)


def _refusal(error: WSHandshakeError) -> HandshakeRefusedError:
    response = error.response
    if response is None:
        return HandshakeRefusedError(0, None, str(error))
    retry_after = response.headers.get("Retry-After", "")
    return HandshakeRefusedError(
        int(response.status), float(retry_after) if retry_after.isdigit() else None, response.status.phrase
    )
