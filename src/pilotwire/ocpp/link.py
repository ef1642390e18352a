"""One connected station: its frames in order, its answers after the commit, our calls between them."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

import msgspec
import structlog

from pilotwire.core.clock import Clock
from pilotwire.db.lanes import WriterLanes
from pilotwire.db.writer import Entry, Fenced
from pilotwire.domain.access.model import TokenPresented
from pilotwire.domain.lookups import LookupNeeded
from pilotwire.domain.sessions.decide import SessionsView
from pilotwire.domain.sessions.messages import SessionEvent
from pilotwire.domain.stations.messages import StationBooted
from pilotwire.domain.stations.ports import CallAnswer
from pilotwire.domain.stations.records import FrameKept
from pilotwire.domain.stations.view import StationView
from pilotwire.ocpp.codec import translate
from pilotwire.ocpp.codec.envelope import (
    UNREADABLE_ID,
    Call,
    CallError,
    CallResult,
    CallResultError,
    Frame,
    Send,
    build_error,
    build_result,
    parse_frame,
    repair_frame,
)
from pilotwire.ocpp.codec.errors import CodecError, FaultKind, FrameError, call_error_code
from pilotwire.ocpp.codec.version import OcppVersion
from pilotwire.ocpp.gateway import Connection
from pilotwire.ocpp.handlers import Context, handle
from pilotwire.ocpp.handlers.context import Services
from pilotwire.ocpp.quirks import Behaviour, behaviour_of
from pilotwire.ocpp.redaction import stored_text
from pilotwire.ocpp.relay import RelayedConnection
from pilotwire.ocpp.rpc import Caller, Exchange
from pilotwire.ocpp.turns import Turns

__all__ = ["LinkHost", "StationLink"]

log = structlog.get_logger(__name__)

# Frequent actions that have no place for a secret: they need no second look before they are stored.
_PLAIN = frozenset({"Heartbeat", "StatusNotification", "MeterValues", "TransactionEvent"})
_STATION_CALLED = FrameKept.STATION_CALLED
_MOST_IN_FLIGHT = 64
_RESUME_AT = 16


class LinkHost(Protocol):
    """What a link asks of the switchboard."""

    services: Services
    writer: WriterLanes
    turns: Turns
    frames_in: int
    now: Clock

    def look_up(self, link: "StationLink", needed: LookupNeeded) -> Awaitable[None]: ...
    def boot_accepted(self, link: "StationLink") -> None: ...
    def counted(self, link: "StationLink", code: str) -> None: ...


class _Answer(Entry):
    """A message's records, and the answer that is sent once they are on disk."""

    __slots__ = ("after", "answer", "delay_s", "link", "message_id")

    def __init__(
        self, link: "StationLink", records: list[Any], told: list[Any], answer: bytes | None, delay_s: float
    ) -> None:
        # As Entry does; a call to it is saved on every message.
        self.station_id = link.station.record.id
        self.epoch = link.epoch
        self.records = records
        self.told = told
        self.link = link
        self.answer = answer
        self.delay_s = delay_s
        self.message_id = ""
        self.after: Callable[[], None] | None = None

    def kept(self) -> None:
        link = self.link
        if self.answer is not None and link.alive:
            if self.delay_s:
                asyncio.get_running_loop().call_later(self.delay_s, link.connection.send, self.answer)
            else:
                link.connection.send(self.answer)
        if self.after is not None:
            self.after()
        link.landed()

    def failed(self, error: BaseException) -> None:
        link = self.link
        if not isinstance(error, Fenced):
            log.error("a message could not be kept", station=link.identity, error=repr(error))
            if self.answer is not None and link.alive:
                code = call_error_code(FaultKind.INTERNAL, link.version)
                link.connection.send(build_error(self.message_id, code, "it could not be stored"))
        # What is in memory has gone past what is on disk: the station connects again and its state is read anew.
        link.end("its message could not be kept")
        link.connection.close(1011, "message could not be kept")


class StationLink:
    """A station's live connection."""

    __slots__ = (
        "alive", "arrived_at", "behaviour", "caller", "certificate_sha256", "connection", "epoch", "host", "identity",
        "in_flight", "paused", "queue", "ready", "relay", "security_profile", "seen_at", "sessions", "station",
        "used_next_secret", "version", "waiting",
    )  # fmt: skip

    def __init__(self, host: LinkHost, connection: Connection, version: OcppVersion, identity: str) -> None:
        self.host = host
        self.connection = connection
        self.version = version
        self.identity = identity
        self.alive = True
        self.ready = False  # attached: its epoch is in the database and its state in memory
        self.waiting = False  # a lookup runs; what arrives meanwhile queues
        self.paused = False
        self.in_flight = 0
        self.epoch = 0
        self.queue: deque[bytes] = deque()
        self.arrived_at = host.now()
        self.seen_at = self.arrived_at
        self.used_next_secret = False
        self.security_profile = 0
        self.certificate_sha256 = ""
        self.relay: RelayedConnection | None = None
        self.station: StationView
        self.sessions: SessionsView
        self.behaviour: Behaviour
        self.caller: Caller

    def attach(self, station: StationView, sessions: SessionsView, epoch: int) -> None:
        """Start to work: the database knows this connection as the station's newest."""
        record = station.record
        self.station = station
        self.sessions = sessions
        self.epoch = epoch
        self.behaviour = behaviour_of(
            station.vendor, station.model, station.firmware_version, record.quirk_switches
        )
        self.caller = Caller(f"{record.id:x}-{epoch:x}", self.connection.send, self._call_over)
        self.ready = True
        self.work_off()

    def text_received(self, text: bytes) -> None:
        """Take a frame from the socket, in order."""
        self.host.frames_in += 1
        if not self.alive:
            return
        if not self.ready or self.waiting or self.queue:
            self.queue.append(text)
            if len(self.queue) >= _MOST_IN_FLIGHT:
                self._pause()
        elif self.host.turns.may_take(self):
            self._process(text)
        else:
            self.queue.append(text)

    def take_next(self) -> bool:
        """Take the oldest frame that waits; tell whether another can be taken now."""
        if not self.queue or self.waiting or not self.alive:
            return False
        self._process(self.queue.popleft())
        self._read_on()
        return bool(self.queue) and not self.waiting

    def end(self, reason: str) -> None:
        """Stop: no frame is taken and no answer sent any more."""
        del reason
        self.alive = False
        self.queue.clear()
        if self.ready:
            self.caller.close()

    async def call(self, action: str, payload: bytes, timeout_s: float) -> CallAnswer:
        """Call the station. Raises: NotConnected, NoAnswer."""
        return await self.caller.call(action, payload, timeout_s)

    def landed(self) -> None:
        """One message less is on its way to the disk."""
        self.in_flight -= 1
        if self.paused:
            self._read_on()

    def _read_on(self) -> None:
        if self.paused and self.alive and self.in_flight <= _RESUME_AT and len(self.queue) <= _RESUME_AT:
            self.paused = False
            self.connection.resume_reading()

    def _pause(self) -> None:
        if not self.paused:
            self.paused = True
            self.connection.pause_reading()

    def work_off(self) -> None:
        """Take all frames that wait, unless a lookup has to end first."""
        while self.queue and self.alive and not self.waiting:
            self._process(self.queue.popleft())
        self._read_on()

    def _process(self, text: bytes) -> None:
        now = self.seen_at = self.host.now()
        repairs: list[str] = []
        try:
            frame = parse_frame(self.version, text)
        except FrameError as error:
            repaired = self._repaired(error, text)
            if repaired is None:
                self._unreadable(error, text, now)
                return
            frame, repairs = repaired
        kind = type(frame)
        if kind is Call or kind is Send:
            self._called(frame, text, now, repairs)
        else:
            self._answered(frame, text, now, repairs)

    def _repaired(self, error: FrameError, text: bytes) -> tuple[Frame, list[str]] | None:
        """Give a frame that is not as it should be and the repairs that it needed; None if it cannot be read."""
        if self.host.services.strict:
            return None
        try:
            frame, deviations = repair_frame(self.version, text, error)
        except FrameError:
            return None
        return frame, [deviation.code for deviation in deviations]

    def _called(self, call: Any, text: bytes, now: datetime, repairs: list[str]) -> None:
        strict = self.host.services.strict
        try:
            incoming = translate.read(self.version, call.action, call.payload, now, strict=strict)
        except CodecError as error:
            self._refuse(call.message_id, call.action, error.kind, str(error), text, now)
            return
        except Exception:
            log.exception("reading a message failed", station=self.identity, action=call.action)
            self._refuse(call.message_id, call.action, FaultKind.INTERNAL, "internal error", text, now)
            return
        message = incoming.message
        if not self.station.admitted and type(message) is not StationBooted:
            # Spec: 2.0.1 B02.FR.09, B03.FR.07: before the boot is accepted nothing else is.
            self._refuse(
                call.message_id,
                call.action,
                FaultKind.SECURITY,
                "the boot has not been accepted yet",
                text,
                now,
            )
            return
        notes = [*repairs, *incoming.notes] if repairs else incoming.notes
        if self.behaviour.token_suffix:
            message = _without_suffix(message, self.behaviour.token_suffix, notes)
        self._decide(call, incoming, message, text, now, notes)

    def _decide(
        self,
        call: Any,
        incoming: translate.Incoming,
        message: Any,
        text: bytes,
        now: datetime,
        notes: list[str],
    ) -> None:
        try:
            answer, records = handle(Context(self.host.services, self.station, self.sessions, now), message)
            response = None if type(call) is Send else build_result(call.message_id, incoming.answer(answer))
        except LookupNeeded as needed:
            self.waiting = True
            self._start_lookup(needed, call, incoming, message, text, now, notes)
            return
        except Exception:
            log.exception("handling a message failed", station=self.identity, action=call.action)
            self._refuse(call.message_id, call.action, FaultKind.INTERNAL, "internal error", text, now)
            return
        entry = self._entry(call.message_id, call.action, text, response, records, now, notes)
        if type(message) is StationBooted:
            self._booted(message, entry)
        self._submit(entry)

    def _entry(
        self,
        message_id: str,
        action: str,
        text: bytes,
        response: bytes | None,
        records: list[Any],
        now: datetime,
        notes: list[str],
    ) -> _Answer:
        record = self.station.record
        for code in notes:
            self.host.counted(self, code)
        frame = FrameKept(
            record.tenant_id,
            record.id,
            now,
            None,
            _STATION_CALLED,
            message_id,
            action,
            stored_text(text, secrets=action not in _PLAIN, valid=not notes),
            None if response is None else response.decode(),
            ",".join(notes) if notes else None,
        )
        delay_s = self.behaviour.reply_delay_s.get(action, 0.0) if self.behaviour.reply_delay_s else 0.0
        entry = _Answer(self, [*records, frame], records, response, delay_s)
        entry.message_id = message_id
        return entry

    def _submit(self, entry: _Answer) -> None:
        self.in_flight += 1
        lane_is_full = self.host.writer.submit(entry)
        if lane_is_full or self.in_flight >= _MOST_IN_FLIGHT:
            self._pause()

    def _refuse(
        self, message_id: str, action: str, kind: FaultKind, description: str, text: bytes, now: datetime
    ) -> None:
        code = call_error_code(kind, self.version)
        response = build_error(message_id, code, description)
        self._submit(self._entry(message_id[:255], action, text, response, [], now, [f"refused:{code}"]))

    def _unreadable(self, error: FrameError, text: bytes, now: datetime) -> None:
        if error.message_type in (None, 2):
            self._refuse(error.message_id or UNREADABLE_ID, "", error.kind, error.message, text, now)
        else:
            # Only a call is refused; an answer that cannot be read leaves our call to its time-out.
            self._keep(error.message_id or "", "", b"", text, now, ["unreadable_frame"])

    def _booted(self, message: StationBooted, entry: _Answer) -> None:
        record = self.station.record
        self.behaviour = behaviour_of(
            message.vendor, message.model, message.firmware_version, record.quirk_switches
        )
        if message.serial_number and message.serial_number != record.serial_number:
            self.station.record = msgspec.structs.replace(record, serial_number=message.serial_number)
        if self.station.admitted:
            entry.after = lambda: self.host.boot_accepted(self) if self.alive else None

    def _start_lookup(self, needed: LookupNeeded, *again: Any) -> None:
        task = asyncio.ensure_future(self.host.look_up(self, needed))

        def fetched(done: "asyncio.Future[None]") -> None:
            self.waiting = False
            if not self.alive or done.cancelled():
                return
            if (error := done.exception()) is not None:
                log.error("a lookup failed", station=self.identity, error=repr(error))
                self.end("a lookup failed")
                self.connection.close(1011, "try again")
                return
            self._decide(*again)
            self.work_off()

        task.add_done_callback(fetched)

    def _answered(self, frame: Frame, text: bytes, now: datetime, repairs: list[str]) -> None:
        if isinstance(frame, CallResultError):
            # 2.1: the station could not take our answer; it is on record, and there is nobody to tell.
            self._keep(frame.message_id, "", text, None, now, ["call_result_error"])
            return
        assert isinstance(frame, (CallResult, CallError))  # noqa: S101 - the frames that are left
        any_id = self.behaviour.answers_with_other_id
        if not self.caller.answered(frame, text, any_id=any_id, repairs=repairs):
            self._keep(frame.message_id, "", b"", text, now, ["answer_without_call"])

    def _keep(
        self,
        message_id: str,
        action: str,
        request: bytes,
        response: bytes | None,
        now: datetime,
        notes: list[str],
    ) -> None:
        record = self.station.record
        for code in notes:
            self.host.counted(self, code)
        kept = FrameKept(
            record.tenant_id, record.id, now, now, FrameKept.WE_CALLED, message_id[:255], action, stored_text(request),
            None if response is None else stored_text(response), ",".join(notes) if notes else None,
        )  # fmt: skip
        self._submit(_Answer(self, [kept], [], None, 0.0))

    def _call_over(self, exchange: Exchange) -> None:
        if not self.station.record.id:
            return
        now = self.host.now()
        notes = [] if exchange.response is not None else ["not_answered"]
        self._keep(exchange.message_id, exchange.action, exchange.request, exchange.response, now, notes)


def _without_suffix(message: Any, pattern: str, notes: list[str]) -> Any:
    if isinstance(message, TokenPresented):
        uid = re.sub(pattern, "", message.uid)
        if uid != message.uid:
            notes.append("token_uid_suffix")
            return TokenPresented(uid, message.kind, certified=message.certified)
    elif isinstance(message, SessionEvent) and message.token_uid:
        uid = re.sub(pattern, "", message.token_uid)
        if uid != message.token_uid:
            notes.append("token_uid_suffix")
            return msgspec.structs.replace(message, token_uid=uid)
    return message
