"""A socket before it is a WebSocket: the request head, and the hand-over to picows.

`picows.ws_create_server` cannot be used as it is: its upgrade factory sees neither the address nor the client
certificate, it refuses `Connection: keep-alive, Upgrade` and a missing `Connection`, answers malformed
requests without telling anybody, keeps path and credentials in memory for the life of the socket, and
reports no TLS failure. So the head is read here, and only an admitted request, in a fixed form, is fed to
picows' protocol.
"""

import asyncio
import logging
from collections.abc import Iterator, MutableMapping
from typing import Any, Protocol, cast

from picows import WSAutoPingStrategy, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # compiled, not in the stub

from pilotwire.core.proxies import TrustedProxies
from pilotwire.ocpp.gateway import deflate
from pilotwire.ocpp.gateway.connection import StationConnection, Wiring
from pilotwire.ocpp.gateway.gate import Caller, Gate, limit_key
from pilotwire.ocpp.gateway.handshake import (
    WEBSOCKET_HINT,
    HeadFault,
    UpgradeRequest,
    normalised_head,
    parse_head,
    refusal_bytes,
)
from pilotwire.ocpp.gateway.ports import Admit, HandshakeProblem, Refuse
from pilotwire.ocpp.gateway.subprotocol import spelling_to_answer
from pilotwire.ocpp.gateway.tls import client_certificate

_FIRST_READ_BYTES = 1024
_READ_BUFFER_BYTES = 2048  # the smallest that picows takes; it grows with the messages
_TLS_RECORD = 0x16
_TLS_ALERT_PROTOCOL_VERSION = bytes((0x15, 3, 1, 0, 2, 2, 70))
BEFORE_REQUEST = "(before the request)"
_END_OF_HEAD = b"\r\n\r\n"
_NO_HEADERS: dict[str, str] = {}


class _LibraryLog(logging.LoggerAdapter[logging.Logger]):
    """picows reports every frame it refuses as an error; those are the peer's errors, not ours."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if level < logging.ERROR or kwargs.get("exc_info"):
            super().log(level, msg, *args, **kwargs)
        else:
            super().log(logging.DEBUG, msg, *args, **kwargs)


_library_logger = logging.getLogger(f"{__name__}.picows")
_library_logger.setLevel(logging.WARNING)
_LIBRARY_LOG = _LibraryLog(_library_logger, {})


class Reception(Protocol):
    """What an arrival needs of the listener."""

    gate: Gate
    wiring: Wiring
    proxies: TrustedProxies

    def departed(self, arrival: "Arrival") -> None: ...


class Arrival(asyncio.BufferedProtocol):
    """The protocol of a socket until its handshake is decided; on a TLS endpoint it starts after TLS."""

    __slots__ = (
        "_buffer", "_done", "_reception", "_secure", "_transport", "_used", "address", "deadline",
        "limit_key",
    )  # fmt: skip

    def __init__(self, reception: Reception, address: str, *, secure: bool, deadline: float) -> None:
        self.address = address
        self.limit_key = limit_key(address)
        self.deadline = deadline
        self._reception = reception
        self._secure = secure
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(_FIRST_READ_BYTES)
        self._used = 0
        self._done = False

    # ---- called by the event loop --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket can be read; TLS is done."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's interface
        """Where the next bytes go."""
        if self._done:
            self._used = 0  # whatever still comes is not looked at
        elif self._used == len(self._buffer):
            larger = bytearray(min(2 * self._used, self._reception.wiring.limits.max_head_bytes))
            larger[: self._used] = self._buffer
            self._buffer = larger
        return memoryview(self._buffer)[self._used :]

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        self._used += nbytes
        if not self._done:
            self._look()

    def eof_received(self) -> bool:
        """The peer hung up; so do we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's interface
        """The socket went away before it became a WebSocket."""
        if not self._done and self._used:
            # Without a single byte it was a port check of a load balancer.
            self._log(HandshakeProblem.MALFORMED_REQUEST, "hung up in the middle of the request")
        self._leave()

    # ---- called by the listener ----------------------------------------------------------------------------

    def expire(self) -> None:
        """The deadline passed. (TLS has a time-out of its own.)"""
        if self._transport is None:
            return
        if not self._done:
            self._log(HandshakeProblem.TIMED_OUT, "" if self._used else "nothing was sent")
        self.turn_away()

    def turn_away(self) -> None:
        """Drop the socket."""
        self._done = True
        if self._transport is not None:
            self._transport.abort()

    # ---- the request ---------------------------------------------------------------------------------------

    def _look(self) -> None:
        first = self._buffer[0]
        if first == _TLS_RECORD and not self._secure:
            self._reception.gate.log.record(BEFORE_REQUEST, self.address, HandshakeProblem.TLS_ON_PLAIN_PORT)
            self._finish(_TLS_ALERT_PROTOCOL_VERSION)
            return
        end = self._buffer.find(_END_OF_HEAD, 0, self._used)
        request: UpgradeRequest | HeadFault
        if not ord("A") <= first <= ord("Z"):
            request = _fault("what came is not HTTP")
        elif end >= 0:
            request = parse_head(bytes(self._buffer[:end]))
        elif self._used >= self._reception.wiring.limits.max_head_bytes:
            request = _fault("the request head is too long")
        else:
            return
        caller = self._caller(request)
        verdict = self._reception.gate.judge(request, caller)
        if isinstance(verdict, Refuse):
            not_websocket = verdict.reason is HandshakeProblem.NOT_WEBSOCKET
            self._finish(refusal_bytes(verdict, hint=WEBSOCKET_HINT if not_websocket else None))
        elif isinstance(request, UpgradeRequest):
            tail = bytes(self._buffer[end + len(_END_OF_HEAD) : self._used])
            self._become_websocket(request, verdict, caller, tail)

    def _caller(self, request: UpgradeRequest | HeadFault) -> Caller:
        proxies = self._reception.proxies
        if isinstance(request, UpgradeRequest) and proxies.trusts(self.address):
            address = proxies.client(self.address, request.forwarded_for)
            secure = self._secure or request.forwarded_proto in ("https", "wss")
            # A certificate is the proxy's own; that of the station ends there.
            return Caller(address, limit_key(address), secure, None)
        certificate = None
        if self._secure and self._transport is not None:
            certificate = client_certificate(self._transport.get_extra_info("ssl_object"))
        return Caller(self.address, self.limit_key, self._secure, certificate, counted=self._secure)

    def _become_websocket(self, request: UpgradeRequest, admit: Admit, caller: Caller, tail: bytes) -> None:
        transport = self._transport
        if transport is None:  # only for the type checker: it was just read from
            return
        agreed = deflate.negotiate(request.extensions) if admit.deflate and request.extensions else None
        wiring = self._reception.wiring
        connection = StationConnection(wiring, admit, caller, agreed)
        headers = []
        spelling = spelling_to_answer(request.offered, admit.subprotocol)
        if spelling is not None:
            headers.append(("Sec-WebSocket-Protocol", spelling))
        if agreed is not None:
            headers.append(("Sec-WebSocket-Extensions", agreed.header))
        response = WSUpgradeResponse.create_101_response(headers)

        def upgrade(_: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
            return WSUpgradeResponseWithListener(response, connection)

        protocol = _picows_protocol(upgrade, wiring.limits.max_message_bytes)
        self._leave()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        for chunk in (normalised_head(request.key), *_pieces(tail)):
            target = protocol.get_buffer(len(chunk))
            target[: len(chunk)] = chunk
            protocol.buffer_updated(len(chunk))
        # Kept by picows as long as the socket lives, and of no more use.
        protocol.transport.request.headers = _NO_HEADERS
        protocol.transport.response.headers = _NO_HEADERS

    # ---- the end of the arrival ----------------------------------------------------------------------------

    def _log(self, problem: HandshakeProblem, detail: str = "") -> None:
        first_line = bytes(self._buffer[: self._used]).partition(b"\r\n")[0].split(b" ")
        subject = first_line[1].decode("utf-8", "replace") if len(first_line) > 1 else BEFORE_REQUEST
        self._reception.gate.log.record(subject, self.address, problem, detail)

    def _finish(self, answer: bytes) -> None:
        self._done = True
        if self._transport is not None:
            self._transport.write(answer)
            self._transport.close()

    def _leave(self) -> None:
        self._done = True
        self._transport = None
        self._reception.departed(self)


def _fault(detail: str) -> HeadFault:
    return HeadFault(Refuse(400, HandshakeProblem.MALFORMED_REQUEST, detail=detail))


def _pieces(data: bytes) -> Iterator[bytes]:
    """Frames that came in one piece with the request, in portions that fit picows' first buffer."""
    for start in range(0, len(data), 1024):
        yield data[start : start + 1024]


def _picows_protocol(upgrade: Any, max_frame_bytes: int) -> Any:
    """picows' server side of one socket, with its pings, pongs and time-outs off: those are ours."""
    return WSProtocol(
        None,  # host and port: of a client
        None,  # path: of a client
        False,  # is_client_side
        upgrade,
        _LIBRARY_LOG,
        True,  # disconnect_on_exception
        None,  # handshake timeout
        False, 1, 1, WSAutoPingStrategy.PING_WHEN_IDLE,  # automatic ping
        False,  # automatic pong: it would hide the peer's pings as signs of life
        max_frame_bytes,
        None,  # extra headers: of a client
        _READ_BUFFER_BYTES,
    )  # fmt: skip
