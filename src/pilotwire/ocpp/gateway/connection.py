"""One station's socket: what picows leaves open between frames and texts.

picows 2.3.1 parses frames and checks opcodes, masking, lengths and control frames. It does not put fragments
together, bound a message of many fragments, check reserved bits or UTF-8, answer a CLOSE, or hold back what
is already in its buffer when reading pauses; and it still delivers a frame that it has refused as too big.
All that is here.
"""

import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import picows
from picows import WSCloseCode, WSFrame, WSMsgType, WSTransport

from pilotwire.ocpp.gateway.deflate import Deflate, InflatedTooBigError, InflateError
from pilotwire.ocpp.gateway.gate import Caller
from pilotwire.ocpp.gateway.limits import Limits
from pilotwire.ocpp.gateway.ports import Admit, ConnectionOwner
from pilotwire.ocpp.gateway.subprotocol import ASSUMED_WITHOUT_HEADER

PROTOCOL_ERROR = 1002
UNSUPPORTED_DATA = 1003
NO_CODE = 1005
ABNORMAL = 1006
INVALID_TEXT = 1007
TOO_BIG = 1009

SILENT = "silent"
NOT_READING = "station does not read"

_TEXT = WSMsgType.TEXT
_CONTINUATION = WSMsgType.CONTINUATION
_BINARY = WSMsgType.BINARY
_PING = WSMsgType.PING
_PONG = WSMsgType.PONG
_CLOSE = WSMsgType.CLOSE
_MAX_REASON_BYTES = 123
_UNSENDABLE_CODES = (0, NO_CODE, ABNORMAL, 1015)


class Registry(Protocol):
    """Whoever keeps count of the connections: the listener."""

    def connection_opened(self, connection: "StationConnection") -> None: ...

    def connection_closing(self, connection: "StationConnection") -> None: ...

    def connection_ended(self, connection: "StationConnection") -> None: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What all connections of a listener share."""

    owner: ConnectionOwner
    registry: Registry
    limits: Limits


class StationConnection(picows.WSListener):
    """The `Connection` of the ports, and the frame handler that picows calls: one object for both."""

    __slots__ = (
        "_deflate", "_end", "_held", "_most_unsent", "_partial", "_partial_deflated", "_paused", "_ping", "_receive",
        "_strict", "_transport", "_transport_paused", "_wiring", "identity", "is_open", "last_inbound_at", "limit_key",
        "opened_at", "pinged_at", "remote_address", "slot", "station", "subprotocol",
    )  # fmt: skip

    def __init__(self, wiring: Wiring, admit: Admit, caller: Caller, deflate: Deflate | None) -> None:
        self.station = admit.station
        self.identity = admit.identity
        self.subprotocol = admit.subprotocol or ASSUMED_WITHOUT_HEADER
        self.remote_address = caller.address
        self.limit_key = caller.limit_key
        self.opened_at = self.last_inbound_at = monotonic()
        self.is_open = False
        self.pinged_at: float | None = None
        self.slot = -1  # where the keep-alive wheel has it
        self._wiring = wiring
        self._deflate = deflate
        self._strict = admit.utf8 == "strict"
        self._ping = admit.ping
        self._transport: WSTransport | None = None
        self._partial: bytearray | None = None
        self._partial_deflated = False
        self._paused = False
        self._transport_paused = False
        self._held: deque[bytes] | None = None
        self._end: tuple[int, str] | None = None
        self._receive: Callable[[bytes], None] = _refuse
        self._most_unsent = wiring.limits.write_buffer_bytes

    def __repr__(self) -> str:
        return f"<StationConnection {self.identity} {self.subprotocol} from {self.remote_address}>"

    # ---- for the owner -------------------------------------------------------------------------------------

    def send(self, text: bytes) -> None:
        """Queue a text; never blocks. A station that does not read is dropped; after the end, nothing."""
        transport = self._transport
        if not self.is_open or transport is None:
            return
        if transport.underlying_transport.get_write_buffer_size() > self._most_unsent:
            self.abort(NOT_READING)
            return
        if self._deflate is not None and len(text) >= self._wiring.limits.compress_from_bytes:
            transport.send(_TEXT, self._deflate.compress(text), rsv1=True)
        else:
            transport.send(_TEXT, text)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Start the closing handshake; the socket is dropped when the station does not answer it in time."""
        transport = self._transport
        if not self.is_open or transport is None:
            return
        self.is_open = False
        self._end = (code, reason)
        self._held = None
        self._partial = None
        if self._transport_paused:
            # The peer's CLOSE would otherwise never be read.
            self._transport_paused = False
            transport.underlying_transport.resume_reading()
        message = reason.encode()[:_MAX_REASON_BYTES].decode("utf-8", "ignore").encode()
        # The stub calls it an Enum; the compiled method takes every number.
        transport.send_close(code, message)  # type: ignore[arg-type]
        self._wiring.registry.connection_closing(self)

    def abort(self, reason: str = "aborted") -> None:
        """Drop the socket at once; what is not yet sent is lost."""
        transport = self._transport
        if transport is None:
            return
        self.is_open = False
        if self._end is None:
            self._end = (ABNORMAL, reason)
        self._held = None
        transport.disconnect(graceful=False)

    def pause_reading(self) -> None:
        """Stop delivering texts. Those already in memory wait, in order, for `resume_reading`."""
        if self._paused or not self.is_open:
            return
        self._paused = True
        if not self._transport_paused and self._transport is not None:
            self._transport_paused = True
            self._transport.underlying_transport.pause_reading()

    def resume_reading(self) -> None:
        """Deliver what waited, then read on. The owner may pause again in the middle."""
        if not self._paused:
            return
        self._paused = False
        while self._held and not self._paused and self.is_open:
            self._receive(self._held.popleft())
        if self._paused or not self.is_open or self._transport is None:
            return
        self._held = None
        if self._transport_paused:
            self._transport_paused = False
            self.pinged_at = None  # its answer could not be seen
            self._transport.underlying_transport.resume_reading()

    # ---- for the keep-alive --------------------------------------------------------------------------------

    @property
    def is_pinged(self) -> bool:
        """Whether the admission wants WebSocket pings."""
        return self._ping

    def enable_tcp_keepalive(self, interval_s: float) -> None:
        """Let the kernel find a dead peer that does not answer WebSocket pings."""
        if self._transport is None:
            return
        sock = self._transport.underlying_transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, int(interval_s)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, int(interval_s / 4)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)

    def check_alive(self, now: float, *, may_drop: bool) -> None:
        """Ping, or drop the peer that has shown no sign of life since the last ping."""
        transport = self._transport
        if transport is None:
            return
        if transport.is_close_frame_sent:
            # picows closes by itself on frames it cannot parse, and waits for ever for a peer that does not
            # read.
            transport.disconnect(graceful=False)
        elif not self.is_open or not self._ping:
            return
        elif may_drop and self.pinged_at is not None and self.last_inbound_at < self.pinged_at:
            if self._transport_paused:
                return  # it may well have answered; we are not looking
            self.abort(SILENT)
        else:
            self.pinged_at = now
            transport.send_ping()

    # ---- called by picows ----------------------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The 101 is written."""
        self._transport = transport
        self.is_open = True
        self._wiring.registry.connection_opened(self)
        self._receive = self._wiring.owner.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame is complete and unmasked; its memory is valid during this call only."""
        kind = frame.msg_type
        if not self.is_open or transport.is_close_frame_sent:
            if kind == _CLOSE:
                transport.disconnect()
            return
        self.last_inbound_at = monotonic()
        if (
            kind == _TEXT
            and frame.fin
            and self._partial is None
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3)
        ):
            if self._strict or self._paused or self._held:
                self._deliver(frame.get_payload_as_bytes())
            else:  # the usual frame, without another call
                self._receive(frame.get_payload_as_bytes())
        elif frame.rsv2 or frame.rsv3 or (frame.rsv1 and (self._deflate is None or kind != _TEXT)):
            self.close(PROTOCOL_ERROR, "reserved bit set")
        elif kind in (_TEXT, _CONTINUATION):
            self._fragment(frame, begins=kind == _TEXT)
        elif kind == _PING:
            self._pong(transport, frame.get_payload_as_bytes())
        elif kind == _CLOSE:
            self._answer_close(transport)
        elif kind == _BINARY:
            self.close(UNSUPPORTED_DATA, "OCPP speaks text")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The socket is gone. What the station had said before it hung up is delivered, even while paused."""
        self.is_open = False
        held, self._held = self._held, None
        code, reason = self._end or _end_of(transport)
        self._transport = None
        self._partial = None
        self._wiring.registry.connection_ended(self)
        try:
            for text in held or ():
                self._receive(text)
        finally:
            self._receive = _refuse  # it may hold the owner's part of this connection
            self._wiring.owner.closed(self, code, reason)

    def pause_writing(self) -> None:
        """Nothing to do: `send` looks at the buffer itself."""

    def resume_writing(self) -> None:
        """Nothing to do."""

    # ---- inside --------------------------------------------------------------------------------------------

    def _fragment(self, frame: WSFrame, *, begins: bool) -> None:
        if begins != (self._partial is None):
            self.close(PROTOCOL_ERROR, "fragment out of place")
            return
        if self._partial is None:
            self._partial = bytearray()
            self._partial_deflated = bool(frame.rsv1)
        limit = self._wiring.limits.max_message_bytes
        if len(self._partial) + frame.payload_size > limit:
            self.close(TOO_BIG, "message too big")
            return
        self._partial += frame.get_payload_as_memoryview()
        if not frame.fin:
            return
        text = bytes(self._partial)
        self._partial = None
        if self._partial_deflated and self._deflate is not None:
            try:
                text = self._deflate.inflate(text, limit)
            except InflatedTooBigError:
                self.close(TOO_BIG, "message too big")
                return
            except InflateError:
                self.close(INVALID_TEXT, "message cannot be inflated")
                return
        self._deliver(text)

    def _deliver(self, text: bytes) -> None:
        if self._strict and not _is_utf8(text):
            self.close(INVALID_TEXT, "text is not UTF-8")
        elif self._paused or self._held:
            if self._held is None:
                self._held = deque()
            self._held.append(text)
        else:
            self._receive(text)

    def _pong(self, transport: WSTransport, payload: bytes) -> None:
        if transport.underlying_transport.get_write_buffer_size() > self._wiring.limits.write_buffer_bytes:
            self.abort(NOT_READING)
        else:
            transport.send_pong(payload)

    def _answer_close(self, transport: WSTransport) -> None:
        self.is_open = False
        received = transport.close_handshake.recv
        code = int(received.code) if received is not None else 0  # type: ignore[call-overload]
        self._end = (code or NO_CODE, (received.reason if received is not None else "") or "")
        answer = WSCloseCode.OK if code in _UNSENDABLE_CODES else code
        transport.send_close(answer)  # type: ignore[arg-type]
        transport.disconnect()
        self._wiring.registry.connection_closing(self)


def _refuse(text: bytes) -> None:
    """Take the texts of a connection that nobody has opened: there are none."""
    raise RuntimeError(f"a text of {len(text)} bytes outside of a connection's life")


def _end_of(transport: WSTransport) -> tuple[int, str]:
    """How a connection ended that neither the owner nor the peer closed."""
    sent = transport.close_handshake.sent if transport.close_handshake is not None else None
    if sent is not None:
        return int(sent.code), sent.reason or ""  # type: ignore[call-overload]
    return ABNORMAL, "connection lost"


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
