"""One station's connection with a second back end behind it.

It stands between socket and link: what the station says goes to both, and the station gets the answers of the one whose
word counts. An answer of the other back end is passed on only after the message is on disk here, so that nothing
answered is lost, whoever answered. While the other back end is away, ours are given.
"""

import asyncio
import random
from typing import Any, Protocol

import msgspec
import structlog

from pilotwire.core.errors import PilotwireError
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.relays.model import Authority, Relay, SharedTransaction
from pilotwire.domain.relays.ports import BackEndRefused, BackEndSocket
from pilotwire.domain.relays.records import RelayMessageKept
from pilotwire.domain.stations.ports import CallAnswer
from pilotwire.ocpp.codec.envelope import build_error
from pilotwire.ocpp.gateway import Connection
from pilotwire.ocpp.relay.book import RelayBook
from pilotwire.ocpp.relay.numbers import TransactionNumbers, renumbered
from pilotwire.ocpp.relay.queue import KEPT, RelayQueue

__all__ = ["RelayedConnection"]

log = structlog.get_logger(__name__)

_PATIENCE_S = 10.0
_ANSWER_S = 30.0
_CALL_S = 30.0
_MOST_PENDING = 1000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class RelayedLink(Protocol):
    """What a relay asks of the link in front of it."""

    @property
    def alive(self) -> bool: ...
    def text_received(self, text: bytes) -> None: ...
    async def call(self, action: str, payload: bytes, timeout_s: float) -> CallAnswer: ...


class _Pending:
    """A call of the station whose answer is being put together."""

    __slots__ = ("action", "ours", "overdue", "theirs")

    def __init__(self, action: str) -> None:
        self.action = action
        self.ours: bytes | None = None
        self.theirs: list[Any] | None = None
        self.overdue: asyncio.TimerHandle | None = None


class RelayedConnection:
    """A `Connection` to the link, and the relay behind it."""

    def __init__(self, inner: Connection, book: RelayBook, relay: Relay, record: Any) -> None:
        self._inner = inner
        self._book = book
        self._relay = relay
        self._record = record
        self._link: RelayedLink
        self._numbers = TransactionNumbers()
        self._early: list[bytes] | None = []
        self._pending: dict[str, _Pending] = {}
        self._started: dict[str, int] = {}
        self._out = RelayQueue(book, relay.station_id)
        self._awaited_until: asyncio.TimerHandle | None = None
        self._boot: bytes | None = None
        self._socket: BackEndSocket | None = None
        self._lost = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    def begin(self, link: RelayedLink) -> None:
        """Start to work for a link."""
        self._link = link
        self._run(self._begin())

    def end(self) -> None:
        """The station has left."""
        self._ended = True
        for task in list(self._tasks):
            task.cancel()
        for pending in self._pending.values():
            if pending.overdue is not None:
                pending.overdue.cancel()
        if self._awaited_until is not None:
            self._awaited_until.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._book.forget(self._relay.station_id)

    # The station's side

    def from_station(self, text: bytes) -> None:
        """Take a frame of the station: it goes to the link, and if it is a call to the other back end too."""
        if self._early is not None:
            self._early.append(text)
            return
        self._link.text_received(self._forwarded(text))

    def _forwarded(self, text: bytes) -> bytes:
        frame = _frame(text)
        if frame is None or frame[0] not in (2, 6) or len(frame) < 4 or not isinstance(frame[1], str):
            return text  # answers to our calls, and what cannot be read: the link's to judge
        message_id, action, payload = frame[1], str(frame[2]), frame[3]
        if frame[0] == 2:
            self._pending[message_id] = _Pending(action)
            if len(self._pending) > _MOST_PENDING:
                self._pending.pop(next(iter(self._pending)))
        if action == "BootNotification":
            self._boot = text
        if self._socket is not None or action in KEPT:
            self._out.add(message_id, action, payload, text)
            self._send_next()
        if self._is_16 and self._numbers.to_ours:
            return _encode([*frame[:3], renumbered(payload, self._numbers.to_ours)])
        return text

    def send(self, text: bytes) -> None:
        """Take a frame of ours for the station."""
        frame = _frame(text)
        if frame is None:
            self._inner.send(text)
        elif frame[0] in (3, 4):
            self._answered_by_us(text, frame)
        elif frame[0] == 2 and self._is_16 and self._numbers.from_ours:
            self._inner.send(_encode([*frame[:3], renumbered(frame[3], self._numbers.from_ours)]))
        else:
            self._inner.send(text)

    def _answered_by_us(self, text: bytes, frame: list[Any]) -> None:
        pending = self._pending.get(frame[1])
        if pending is None:
            self._inner.send(text)
            return
        pending.ours = text
        if self._relay.authority is Authority.PILOTWIRE:
            self._inner.send(text)
            if pending.action == "StartTransaction" and not self._match_numbers(frame[1], pending):
                self._note_started(frame[1], text)
            if pending.theirs is not None or self._socket is None:
                self._settle(frame[1])
        elif pending.theirs is not None:
            self._give_theirs(frame[1], pending)
        elif self._socket is None:
            self._give_ours(frame[1])
        else:
            pending.overdue = asyncio.get_running_loop().call_later(_PATIENCE_S, self._give_ours, frame[1])

    def _give_ours(self, message_id: str) -> None:
        """The other back end is away or slow: the station shall not wait for it."""
        pending = self._pending.get(message_id)
        if pending is None or pending.ours is None:
            return
        if self._relay.authority is Authority.OTHER:  # else it has them already
            self._inner.send(pending.ours)
            if pending.action == "StartTransaction":
                self._note_started(message_id, pending.ours)
        self._settle(message_id)

    def _note_started(self, message_id: str, answer: bytes | None) -> None:
        """The station has our number of a transaction, and the other back end's is not known yet."""
        if number := _transaction_id(_frame(answer)):
            self._started[message_id] = number

    def _give_theirs(self, message_id: str, pending: _Pending) -> None:
        assert pending.theirs is not None  # noqa: S101 - looked at by the callers
        answer = _encode(pending.theirs)
        if pending.action == "StartTransaction" and self._match_numbers(
            message_id, pending, then_send=answer
        ):
            return  # it is sent once the numbers are on disk
        self._inner.send(answer)
        self._settle(message_id)

    def _settle(self, message_id: str) -> None:
        pending = self._pending.pop(message_id, None)
        if pending is not None and pending.overdue is not None:
            pending.overdue.cancel()

    def _match_numbers(self, message_id: str, pending: _Pending, then_send: bytes | None = None) -> bool:
        """Note what both back ends call a transaction, as soon as both have said so."""
        ours = _transaction_id(_frame(pending.ours)) if pending.ours is not None else 0
        theirs = _transaction_id(pending.theirs)
        if not self._is_16 or not ours or not theirs:
            return False
        at_station = ours if self._relay.authority is Authority.PILOTWIRE else theirs
        self._share(message_id, SharedTransaction(at_station, ours, theirs), then_send)
        return True

    def _share(self, message_id: str, shared: SharedTransaction, then_send: bytes | None) -> None:
        self._numbers.add(shared)
        self._run(self._keep_numbers(message_id, shared, then_send))

    async def _keep_numbers(
        self, message_id: str, shared: SharedTransaction, then_send: bytes | None
    ) -> None:
        station_id = self._relay.station_id
        await retry_while_away(lambda: self._book.keep(station_id, shared), lambda: not self._ended)
        if then_send is not None:
            self._inner.send(then_send)
            self._settle(message_id)

    # The other back end's side

    async def _begin(self) -> None:
        known: list[SharedTransaction] = []
        waiting: list[tuple[RelayMessageKept, str | None]] = []

        async def read() -> None:
            known[:] = await self._book.transactions(self._relay.station_id)
            waiting[:] = await self._book.waiting(self._relay.station_id)

        await retry_while_away(read, lambda: not self._ended)
        self._numbers = TransactionNumbers(known)
        self._recall(waiting)
        early, self._early = self._early or [], None
        for text in early:
            self._link.text_received(self._forwarded(text))
        pause_s = _FIRST_PAUSE_S
        while True:
            self._lost.clear()
            try:
                relay = self._relay
                self._socket = await self._book.dial(
                    relay.url, relay.identity, relay.password, self.subprotocol,
                    received=self._received, lost=self._lost.set,
                )  # fmt: skip
            except BackEndRefused as error:
                self._book.tell(self._record, connected=False, detail=str(error))
            else:
                pause_s = _FIRST_PAUSE_S
                self._book.tell(self._record, connected=True)
                self._greet()
                await self._lost.wait()
                self._gone()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _recall(self, waiting: list[tuple[RelayMessageKept, str | None]]) -> None:
        """Take over what an earlier connection left: what waits, and which transactions have our number only."""
        for message, answer in waiting:
            number = _transaction_id(_frame(None if answer is None else answer.encode()))
            if (
                number in self._numbers.from_ours
            ):  # they have told theirs, and nobody came to note that it is over
                self._book.end_message(message.station_id, message.id)
                continue
            if number:
                self._started[message.message_id] = number
            self._out.load(message)

    def _greet(self) -> None:
        """A back end wants a boot before anything else; the station's own, if it was before this connection."""
        if self._boot is not None and not self._out.has("BootNotification"):
            frame = _frame(self._boot)
            assert frame is not None  # noqa: S101 - it was read when it came
            message_id = f"relay-{id(self):x}"
            self._out.add_first(message_id, "BootNotification", _encode([2, message_id, *frame[2:]]))
        self._send_next()

    def _gone(self) -> None:
        self._socket = None
        self._out.awaited = None
        if self._awaited_until is not None:
            self._awaited_until.cancel()
        self._book.tell(self._record, connected=False, detail="the other back end hung up")
        for message_id in list(self._pending):  # the station waits for these
            self._give_ours(message_id)

    def _send_next(self) -> None:
        """One call at a time, as a station must."""
        queued = self._out.next()
        if self._socket is None or queued is None:
            return
        self._out.awaited = queued.message_id
        self._socket.send(self._as_they_number(queued.text))
        self._awaited_until = asyncio.get_running_loop().call_later(_ANSWER_S, self._over, queued.message_id)

    def _as_they_number(self, text: bytes) -> bytes:
        """Translate as late as can be: the number may come with the answer before."""
        frame = _frame(text) if self._is_16 and self._numbers.to_theirs else None
        if frame is None:
            return text
        return _encode([*frame[:3], renumbered(frame[3], self._numbers.to_theirs)])

    def _over(self, message_id: str) -> None:
        if self._out.awaited != message_id:
            return
        self._out.awaited = None
        if self._awaited_until is not None:
            self._awaited_until.cancel()
        self._out.over(message_id)
        self._send_next()

    def _received(self, text: bytes) -> None:
        frame = _frame(text)
        if frame is None or len(frame) < 3 or not isinstance(frame[1], str):
            log.info("the other back end sent what is no frame", station=self.identity)
        elif frame[0] in (3, 4):
            self._answered_by_them(frame)
        elif frame[0] == 2:
            self._run(self._called_by_them(frame))

    def _answered_by_them(self, frame: list[Any]) -> None:
        message_id = frame[1]
        pending, number = self._pending.get(message_id), self._started.pop(message_id, 0)
        if pending is not None:
            self._compare(message_id, pending, frame)
        elif number and (theirs := _transaction_id(frame)):
            # It had been given our number when the other was away: that one is the station's.
            self._share(message_id, SharedTransaction(number, number, theirs), None)
        self._over(message_id)

    def _compare(self, message_id: str, pending: _Pending, frame: list[Any]) -> None:
        pending.theirs = frame
        if self._relay.authority is Authority.PILOTWIRE:
            if pending.ours is not None:
                if pending.action == "StartTransaction":
                    self._match_numbers(message_id, pending)
                self._settle(message_id)
        elif pending.ours is not None:
            self._give_theirs(message_id, pending)

    async def _called_by_them(self, frame: list[Any]) -> None:
        message_id, action = frame[1], str(frame[2])
        if self._relay.authority is Authority.PILOTWIRE:
            self._say(build_error(message_id, "NotSupported", "this back end only listens to the station"))
            return
        payload = frame[3] if len(frame) > 3 else {}
        if self._is_16 and self._numbers.from_theirs:
            payload = renumbered(payload, self._numbers.from_theirs)
            # Our link numbers its calls as we do; `send` translates for the station.
            payload = renumbered(payload, self._numbers.to_ours)
        try:
            answer = await self._link.call(action, _encode(payload), _CALL_S)
        except PilotwireError as error:
            self._say(build_error(message_id, "GenericError", str(error)[:255]))
            return
        if answer.payload is None:
            self._say(build_error(message_id, answer.error_code, answer.error_description[:255]))
        else:
            self._say(b"[3,%b,%b]" % (_encode(message_id), answer.payload))

    def _say(self, text: bytes) -> None:
        if self._socket is not None:
            self._socket.send(text)

    # Connection

    @property
    def _is_16(self) -> bool:
        return self.subprotocol == "ocpp1.6"

    @property
    def station(self) -> object:
        """As the socket has it."""
        return self._inner.station

    @property
    def identity(self) -> str:
        """As the socket has it."""
        return self._inner.identity

    @property
    def subprotocol(self) -> str:
        """As the socket has it."""
        return self._inner.subprotocol

    @property
    def remote_address(self) -> str:
        """As the socket has it."""
        return self._inner.remote_address

    @property
    def opened_at(self) -> float:
        """As the socket has it. Units: seconds of the monotonic clock."""
        return self._inner.opened_at

    @property
    def last_inbound_at(self) -> float:
        """As the socket has it. Units: seconds of the monotonic clock."""
        return self._inner.last_inbound_at

    @property
    def is_open(self) -> bool:
        """As the socket has it."""
        return self._inner.is_open

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Start the closing handshake with the station."""
        self._inner.close(code, reason)

    def abort(self, reason: str = "aborted") -> None:
        """Drop the station's socket at once."""
        self._inner.abort(reason)

    def pause_reading(self) -> None:
        """Stop delivering texts."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Deliver what waited, then read on."""
        self._inner.resume_reading()

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "the relay of a station failed", station=self.identity, error=repr(error), exc_info=error
            )
            self._inner.close(1011, "try again")


def _frame(text: bytes | None) -> list[Any] | None:
    if text is None:
        return None
    try:
        frame = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return frame if isinstance(frame, list) and frame else None


def _transaction_id(frame: list[Any] | None) -> int:
    if frame is None or frame[0] != 3 or len(frame) < 3 or not isinstance(frame[2], dict):
        return 0
    number = frame[2].get("transactionId")
    return number if isinstance(number, int) else 0
