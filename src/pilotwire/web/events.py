"""Events for people: a ring of the newest ones, from which every reader is served at its own pace.

A notice of the bus costs a place in the ring; it is encoded when the first reader wants it, once for all of
them. Readers are woken ten times a second at most, and one that falls out of the ring is dropped: it comes
back with `Last-Event-ID` and gets what it missed, or a `reset`, after which it must fetch a fresh picture.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pilotwire.bus import LocalBus
from pilotwire.domain.sessions.messages import Phase
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.ports import StationChanged
from pilotwire.domain.stations.records import ConnectorStatusChanged
from pilotwire.web.event_names import SHAPES, session_name, show_session_event

__all__ = ["EventHub", "EventReader"]

_TICK_S = 0.1
_SESSION_PERIOD_S, _SESSION_SLOT_S = 1.0, 0.25
_CHUNK = 500

_encode = msgspec.json.Encoder().encode


class _Entry:
    """An event: a notice with its shape, until somebody wants its bytes."""

    __slots__ = ("_bytes", "_notice", "_shape", "name", "tenant_id")

    def __init__(
        self, tenant_id: int, name: str, shape: Callable[[Any], Mapping[str, Any]], notice: Any
    ) -> None:
        self.tenant_id = tenant_id
        self.name = name
        self._shape = shape
        self._notice = notice
        self._bytes: bytes | None = None

    def encoded(self, event_id: str) -> bytes:
        """Give the event as it goes over the wire."""
        if self._bytes is None:
            data = _encode(self._shape(self._notice))
            self._bytes = f"id: {event_id}\nevent: {self.name}\ndata: ".encode() + data + b"\n\n"
            self._notice = None
        return self._bytes


class EventHub:
    """Keeps the newest events of all tenants and wakes their readers. Lives on one event loop."""

    def __init__(
        self, bus: LocalBus, *, capacity: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.run = secrets.token_hex(4)
        self._capacity = capacity
        self._clock = clock
        self._ring: list[_Entry | None] = [None] * capacity
        self.newest = 0
        """The number of the newest event; the first one is 1."""
        self._readers: set[EventReader] = set()
        self._tick: asyncio.TimerHandle | None = None
        self._session_tick: asyncio.TimerHandle | None = None
        self._session_told_at: dict[tuple[int, str], float] = {}
        self._session_waiting: dict[tuple[int, str], SessionKept] = {}
        self._session_slots: dict[int, list[tuple[int, str]]] = {}
        """By slot of time: the sessions to tell of when it begins. Thousands wait, a few are due."""
        self.closed = False
        self._unsubscribe = [bus.subscribe(kind, self._take) for kind in SHAPES]
        self._unsubscribe.append(bus.subscribe(SessionKept, self._take_session))

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is still there."""
        return max(1, self.newest - self._capacity + 1)

    def announce(self, tenant_id: int, name: str, data: Mapping[str, Any]) -> None:
        """Tell readers something that is not on the bus."""
        self._add(_Entry(tenant_id, name, lambda fixed: fixed, data))

    def open(self, tenant_id: int, last_event_id: str | None = None) -> "EventReader":
        """Open a reader of a tenant's events: after `last_event_id` if that is known, else from now on."""
        position, lost = self.newest, False
        if last_event_id:
            run, _, number = last_event_id.rpartition("-")
            known = run == self.run and number.isascii() and number.isdigit() and len(number) < 16
            if known and self.oldest - 1 <= int(number) <= self.newest:
                position = int(number)
            else:
                lost = True
        reader = EventReader(self, tenant_id, position, lost)
        self._readers.add(reader)
        if self.closed:
            reader.close()
        return reader

    def close(self) -> None:
        """End every stream, and take no more events."""
        self.closed = True
        for end in self._unsubscribe:
            end()
        for handle in (self._tick, self._session_tick):
            if handle is not None:
                handle.cancel()
        for reader in list(self._readers):
            reader.close()

    def leave(self, reader: "EventReader") -> None:
        """Forget a reader."""
        self._readers.discard(reader)

    def event_id(self, number: int) -> str:
        """Give the id of an event: ids of another run are known not to be of this one."""
        return f"{self.run}-{number}"

    def between(self, tenant_id: int, position: int, end: int) -> bytes:
        """Give a tenant's events after `position`, up to `end`."""
        parts = []
        for number in range(position + 1, end + 1):
            entry = self._ring[number % self._capacity]
            if entry is not None and entry.tenant_id == tenant_id:
                parts.append(entry.encoded(self.event_id(number)))
        return b"".join(parts)

    def _take(self, notice: Any) -> None:
        if type(notice) is ConnectorStatusChanged and not notice.current:
            return  # a late report of an older state
        name, shape = SHAPES[type(notice)]
        tenant_id = notice.record.tenant_id if type(notice) is StationChanged else notice.tenant_id
        self._add(_Entry(tenant_id, name, shape, notice))

    def _take_session(self, notice: SessionKept) -> None:
        """Tell of starts and ends at once, of progress once a second for each session."""
        session_id, waiting = _session_key(notice), self._session_waiting
        # Nearly always, on a busy server: somebody is to hear of this session soon.
        if session_id in waiting and notice.change == Phase.UPDATED and not notice.new:
            waiting[session_id] = notice
            return
        name = session_name(notice)
        now = self._clock()
        due = self._session_told_at.get(session_id, -_SESSION_PERIOD_S) + _SESSION_PERIOD_S
        if name == "session.updated" and now < due:
            waiting[session_id] = notice
            self._session_slots.setdefault(math.ceil(due / _SESSION_SLOT_S), []).append(session_id)
            if self._session_tick is None:
                self._plan_session_tick()
            return
        self._tell_session(notice, name, now)

    def _tell_session(self, notice: SessionKept, name: str, now: float) -> None:
        session_id = _session_key(notice)
        self._session_waiting.pop(session_id, None)
        self._session_told_at[session_id] = now
        if len(self._session_told_at) > 2 * self._capacity:
            self._session_told_at = {
                key: at for key, at in self._session_told_at.items() if now - at < _SESSION_PERIOD_S
            }
        self._add(_Entry(notice.tenant_id, name, show_session_event, notice))

    def _plan_session_tick(self) -> None:
        self._session_tick = asyncio.get_running_loop().call_later(
            _SESSION_SLOT_S, self._tell_waiting_sessions
        )

    def _tell_waiting_sessions(self) -> None:
        self._session_tick = None
        now = self._clock()
        for slot in [slot for slot in self._session_slots if slot * _SESSION_SLOT_S <= now]:
            for session_id in self._session_slots.pop(slot):
                notice = self._session_waiting.get(session_id)
                if notice is not None:  # else its end has been told
                    self._tell_session(notice, "session.updated", now)
        if self._session_slots and not self.closed:
            self._plan_session_tick()

    def _add(self, entry: _Entry) -> None:
        self.newest += 1
        self._ring[self.newest % self._capacity] = entry
        if self._readers and self._tick is None and not self.closed:
            self._tick = asyncio.get_running_loop().call_later(_TICK_S, self._wake)

    def _wake(self) -> None:
        self._tick = None
        for reader in self._readers:
            reader.wake()


class EventReader:
    """One stream of one tenant's events."""

    def __init__(self, hub: EventHub, tenant_id: int, position: int, lost: bool) -> None:
        self._hub = hub
        self._tenant_id = tenant_id
        self._position = position
        self._woken = asyncio.Event()
        self._closed = False
        # An id without data sets the reader's place and is no event (HTML, 9.2.6).
        self._first = f"retry: 2000\nid: {hub.event_id(position)}\n\n".encode()
        if lost:
            self._first += f"id: {hub.event_id(position)}\nevent: reset\ndata: {{}}\n\n".encode()

    def wake(self) -> None:
        """Look for events."""
        self._woken.set()

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        self._hub.leave(self)
        self._woken.set()

    async def next_chunk(self, patience_s: float) -> bytes | None:
        """Wait for events; b"" when none came within `patience_s`, None when the stream has ended.

        A reader that has fallen out of the ring has ended.
        """
        if self._first:
            first, self._first = self._first, b""
            return first
        while not self._closed:
            if self._position < self._hub.oldest - 1:
                self.close()
                return None
            self._woken.clear()
            end = min(self._hub.newest, self._position + _CHUNK)
            if end > self._position:
                chunk = self._hub.between(self._tenant_id, self._position, end)
                self._position = end
                if chunk:
                    return chunk
                continue
            try:
                await asyncio.wait_for(self._woken.wait(), patience_s)
            except TimeoutError:
                return b""
        return None


def _session_key(notice: SessionKept) -> tuple[int, str]:
    """Identify a session by its station and reference: the hash of a UUID is slow, and this is done per message."""
    return notice.station_id, notice.facts.transaction_ref
