"""A socket before it is a WebSocket: TLS, the request head, and the hand-over to picows.

`picows.ws_create_server` cannot be used as it is: its upgrade factory sees neither the address nor the client
certificate, it refuses `Connection: keep-alive, Upgrade` and a missing `Connection`, answers malformed requests
without telling anybody, keeps path and credentials in memory for the life of the socket, and reports no TLS
failure. So the head is read here, and only an admitted request, in a fixed form, is fed to picows' protocol.
"""

import asyncio
import logging
from collections.abc import Iterator, MutableMapping
from typing import Any, Protocol, cast

from picows import WSAutoPingStrategy, WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # compiled, not in the stub

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
from pilotwire.ocpp.gateway.tls import TlsContext, client_certificate, explain

_FIRST_READ_BYTES = 1024
_READ_BUFFER_BYTES = 2048  # the smallest that picows takes; it grows with the messages
_TLS_RECORD = 0x16
_TLS_ALERT_PROTOCOL_VERSION = bytes((0x15, 3, 1, 0, 2, 2, 70))
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
    shutdown_timeout_s: float
    handshake_timeout_s: float

    def arrived(self, arrival: "Arrival") -> None: ...

    def departed(self, arrival: "Arrival") -> None: ...


class Arrival(asyncio.BufferedProtocol):
    """The protocol of a socket until its handshake is decided."""

    __slots__ = (
        "_address", "_buffer", "_counted", "_done", "_key", "_ready", "_reception", "_task", "_tls", "_transport",
        "_used", "deadline",
    )  # fmt: skip

    def __init__(self, reception: Reception, tls: TlsContext | None, deadline: float) -> None:
        self._reception = reception
        self._tls = tls
        self.deadline = deadline
        self._address = ""
        self._key = ""
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(_FIRST_READ_BYTES)
        self._used = 0
        self._ready = tls is None  # the TLS handshake is over, or there is none
        self._done = False
        self._counted = False
        self._task: asyncio.Task[None] | None = None

    # ---- called by the event loop --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket was accepted."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) and peer else "local"
        self._key = limit_key(self._address)
        gate = self._reception.gate
        refusal = gate.refusal_on_arrival(self._key, tls=self._tls is not None)
        if refusal is not None:
            gate.log.record("(before the request)", self._address, refusal.reason)
            self._finish(b"" if self._tls is not None else refusal_bytes(refusal))
            return
        self._counted = True
        self._reception.arrived(self)
        gate.pending.enter(self._key)
        if self._tls is not None:
            self._transport.pause_reading()
            self._task = asyncio.get_running_loop().create_task(self._start_tls(self._transport, self._tls))

    def get_buffer(self, sizehint: int) -> memoryview:
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
        if self._ready and not self._done:
            self._look()

    def eof_received(self) -> bool:
        """The peer hung up; so do we."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket went away before it became a WebSocket."""
        if not self._done and self._ready and self._used:
            # Without a single byte it was a port check of a load balancer.
            self._log(HandshakeProblem.MALFORMED_REQUEST, "hung up in the middle of the request")
        self._leave()

    # ---- called by the listener ----------------------------------------------------------------------------

    def expire(self) -> None:
        """The deadline passed."""
        if self._done:
            self._abort()
        elif self._ready:
            self._log(HandshakeProblem.TIMED_OUT, "" if self._used else "nothing was sent")
            self._abort()

    def turn_away(self) -> None:
        """The gateway stops."""
        if self._task is not None:
            self._task.cancel()
        self._abort()

    # ---- TLS -----------------------------------------------------------------------------------------------

    async def _start_tls(self, plain: asyncio.Transport, tls: TlsContext) -> None:
        try:
            transport = await asyncio.get_running_loop().start_tls(
                plain,
                self,
                tls.current,
                server_side=True,
                ssl_handshake_timeout=self._reception.handshake_timeout_s,
                ssl_shutdown_timeout=self._reception.shutdown_timeout_s,
            )
        except (OSError, EOFError) as error:
            problem, detail = explain(error)
            self._log(problem, detail)
            transport = None
        finally:
            self._task = None
        if transport is None or self._done:
            plain.abort()
            self._leave()
            return
        self._transport = transport
        self._ready = True
        if self._used:
            self._look()

    # ---- the request ---------------------------------------------------------------------------------------

    def _look(self) -> None:
        first = self._buffer[0]
        if first == _TLS_RECORD and self._tls is None:
            self._log(HandshakeProblem.TLS_ON_PLAIN_PORT)
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
        caller = self._caller()
        verdict = self._reception.gate.judge(request, caller)
        if isinstance(verdict, Refuse):
            not_websocket = verdict.reason is HandshakeProblem.NOT_WEBSOCKET
            self._finish(refusal_bytes(verdict, hint=WEBSOCKET_HINT if not_websocket else None))
        elif isinstance(request, UpgradeRequest):
            tail = bytes(self._buffer[end + len(_END_OF_HEAD) : self._used])
            self._become_websocket(request, verdict, caller, tail)

    def _caller(self) -> Caller:
        if self._tls is None or self._transport is None:
            return Caller(self._address, self._key, secure=False, certificate=None)
        certificate = client_certificate(self._transport.get_extra_info("ssl_object"))
        return Caller(self._address, self._key, secure=True, certificate=certificate)

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
        subject = "(before the request)"
        if self._used and problem in (HandshakeProblem.TIMED_OUT, HandshakeProblem.MALFORMED_REQUEST):
            line = bytes(self._buffer[: self._used]).partition(b"\r\n")[0].split(b" ")
            subject = line[1].decode("utf-8", "replace") if len(line) > 1 else subject
        self._reception.gate.log.record(subject, self._address, problem, detail)

    def _finish(self, answer: bytes) -> None:
        self._done = True
        if self._transport is not None:
            if answer:
                self._transport.write(answer)
                self._transport.close()
            else:
                self._transport.abort()

    def _abort(self) -> None:
        self._done = True
        if self._transport is not None:
            self._transport.abort()

    def _leave(self) -> None:
        self._done = True
        if self._counted:
            self._counted = False
            self._reception.gate.pending.leave(self._key)
            self._reception.departed(self)
        self._transport = None


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
