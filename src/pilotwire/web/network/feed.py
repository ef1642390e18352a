"""The ticks for everybody who sees the same: encoded once, kept in a ring for those who come back."""

import asyncio
import gzip
import secrets
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from pilotwire.domain.access.usecases.manage_tokens import shorten_uid
from pilotwire.web.network.attention import MOST_SHOWN, Matter
from pilotwire.web.network.picture import Change, Event, Picture
from pilotwire.web.network.shapes import LiveEvse, LiveStation, kpi_of

__all__ = ["Audience", "Feed", "Reader"]

_RING = 480  # two minutes of ticks
_RING_BYTES = 32 * 1024 * 1024
_MOST_EVENTS = 100
_PING_AFTER_S = 1.7
_SLOWEST_SEND_S = 10.0
_SNAPSHOT_GOOD_S = 1.0
_CHUNK = 500

_encode = msgspec.json.Encoder().encode


class Audience(NamedTuple):
    """Everybody who sees the same: a tenant, whether tokens are shown whole, and to which sites it is limited."""

    tenant_id: int
    whole_tokens: bool
    sites: frozenset[UUID] | None


class Feed:
    """One audience's stream. Lives on one event loop."""

    def __init__(self, picture: Picture, audience: Audience, matters: Iterable[Matter], now: float) -> None:
        self.run = secrets.token_hex(4)
        self.audience = audience
        self._picture = picture
        self.newest = 0
        """The number of the newest tick; the first one is 1."""
        self._ring: deque[tuple[int, bytes]] = deque()
        self._ring_bytes = 0
        self.readers: set[Reader] = set()
        self._matters: list[Matter] = []
        self._matters_are_new = False
        self._counts: dict[str, int] = {}
        self.set_matters(matters)
        self._matters_are_new = False
        self._kpi: dict[str, Any] = self._figures()
        self._told_at = now
        self.used_at = now
        self._snapshot: tuple[float, bytes] | None = None
        self._compressed: bytes | None = None
        self._making = asyncio.Lock()

    # Telling

    def tell(self, changes: Sequence[Change], events: Sequence[Event], at: datetime, now: float) -> None:
        """Make a tick of what this audience may see of the changes; nothing, or a ping, when that is nothing."""
        body = self._tick(changes, events)
        if body:
            self.newest += 1
            data = _encode({"at": at, **body})
            self._keep(b"id: %b\nevent: tick\ndata: %b\n\n" % (self.position().encode(), data))
        elif now - self._told_at >= _PING_AFTER_S:
            ping = b"event: ping\ndata: " + _encode({"at": at}) + b"\n\n"
            for reader in self.readers:
                reader.ping(ping)
        else:
            return
        self._told_at = now
        for reader in list(self.readers):
            reader.wake(now)

    def set_matters(self, matters: Iterable[Matter]) -> None:
        """Take over what needs attention; the next tick tells it if it is something else than before."""
        sites = self.audience.sites
        visible = [matter for matter in matters if sites is None or matter.site_id in sites]
        self._matters_are_new = self._matters_are_new or visible != self._matters
        self._matters = visible
        self._counts = dict(Counter(matter.kind for matter in visible))

    def _tick(self, changes: Sequence[Change], events: Sequence[Event]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        stations, removed = self._seen_changes(changes)
        if stations:
            body["stations"] = stations
        if removed:
            body["removed"] = removed
        kpi = self._figures()
        if changed := {key: value for key, value in kpi.items() if self._kpi.get(key) != value}:
            self._kpi = kpi
            body["kpi"] = changed
        if self._matters_are_new:
            self._matters_are_new = False
            body["attention"] = self._matters[:MOST_SHOWN]
        sites = self.audience.sites
        told = [
            data for about, data in events if sites is None or (about is not None and about.site_id in sites)
        ]
        if told:
            body["events"] = told[-_MOST_EVENTS:]
            if len(told) > _MOST_EVENTS:
                body["events_left_out"] = len(told) - _MOST_EVENTS
        return body

    def _seen_changes(self, changes: Sequence[Change]) -> tuple[dict[str, Any], list[str]]:
        """Give what this audience sees of changes: whole stations where it did not see them before."""
        stations: dict[str, Any] = {}
        removed: list[str] = []
        for change in changes:
            was, is_now = self._sees(change.old), self._sees(change.new)
            if is_now and change.new is not None:
                shown: Any = change.fields if was else self._fit(change.new)
                if was and "evses" in change.fields:
                    shown = {**change.fields, "evses": self._fit_evses(change.new.evses)}
                stations[change.new.id] = shown
            elif was and change.old is not None:
                removed.append(change.old.id)
        return stations, removed

    def _figures(self) -> dict[str, Any]:
        totals, sites = self._picture.totals, self.audience.sites
        seen = totals.values() if sites is None else [totals[site] for site in sites if site in totals]
        return {**kpi_of(seen), "attention": self._counts}

    def _sees(self, station: LiveStation | None) -> bool:
        sites = self.audience.sites
        return station is not None and (sites is None or station.site_id in sites)

    def _fit(self, station: LiveStation) -> LiveStation:
        if self.audience.whole_tokens or not any(evse.token_uid for evse in station.evses):
            return station
        return msgspec.structs.replace(station, evses=self._fit_evses(station.evses))

    def _fit_evses(self, evses: tuple[LiveEvse, ...]) -> tuple[LiveEvse, ...]:
        if self.audience.whole_tokens:
            return evses
        return tuple(
            msgspec.structs.replace(evse, token_uid=shorten_uid(evse.token_uid)) if evse.token_uid else evse
            for evse in evses
        )

    def _keep(self, chunk: bytes) -> None:
        self._ring.append((self.newest, chunk))
        self._ring_bytes += len(chunk)
        while len(self._ring) > _RING or (self._ring_bytes > _RING_BYTES and len(self._ring) > 1):
            self._ring_bytes -= len(self._ring.popleft()[1])

    # Reading

    def position(self) -> str:
        """Give the id of the newest tick; ids of another run are known not to be of this one."""
        return f"{self.run}-{self.newest}"

    def open(self, last_event_id: str | None, now: float) -> "Reader":
        """Open a reader: after `last_event_id` if that is known, else from now on with a `reset`."""
        position, lost = self.newest, False
        if last_event_id:
            run, _, number = last_event_id.rpartition("-")
            known = run == self.run and number.isascii() and number.isdigit() and len(number) < 16
            if known and self.oldest() - 1 <= int(number) <= self.newest:
                position = int(number)
            else:
                lost = True
        reader = Reader(self, position, lost)
        self.readers.add(reader)
        self.used_at = now
        return reader

    def oldest(self) -> int:
        """Give the number of the oldest tick that is still there; the next one's when there is none."""
        return self._ring[0][0] if self._ring else self.newest + 1

    def after(self, position: int) -> bytes | None:
        """Give the ticks after a position; None when they are gone."""
        if position < self.oldest() - 1:
            return None
        missing = self.newest - position
        if missing == 1:  # nearly always
            return self._ring[-1][1]
        return b"".join(chunk for number, chunk in self._ring if number > position)

    def close(self) -> None:
        """End every reader."""
        for reader in list(self.readers):
            reader.close()

    # The whole

    async def snapshot(self, at: datetime, now: float, *, compressed: bool) -> bytes:
        """Give the whole picture as JSON, as it is or compressed with gzip; made at most once a second."""
        self.used_at = now
        async with self._making:
            if self._snapshot is None or now - self._snapshot[0] > _SNAPSHOT_GOOD_S:
                self._snapshot = (now, await self._encode_all(at))
                self._compressed = None
            body = self._snapshot[1]
            if not compressed:
                return body
            if self._compressed is None:
                self._compressed = await asyncio.to_thread(gzip.compress, body, 1)
            return self._compressed

    async def _encode_all(self, at: datetime) -> bytes:
        head = {
            "id": self.position(),
            "at": at,
            "kpi": self._kpi,
            "attention": self._matters[:MOST_SHOWN],
        }
        # What is shown is never changed, but replaced: the list stays that of this moment.
        shown = [station.shown for station in self._picture.stations.values() if self._sees(station.shown)]
        shown.sort(key=lambda each: each.id if each else "")
        parts: list[bytes] = []
        for start in range(0, len(shown), _CHUNK):
            page = [self._fit(each) for each in shown[start : start + _CHUNK] if each is not None]
            parts.append(_encode(page)[1:-1])
            await asyncio.sleep(0)  # frames of stations go first
        return _encode(head)[:-1] + b',"stations":[' + b",".join(parts) + b"]}"


class Reader:
    """One open stream of a feed."""

    def __init__(self, feed: Feed, position: int, lost: bool) -> None:
        self._feed = feed
        self._position = position
        self._waiting: asyncio.Future[None] | None = None
        self._ping = b""
        self._sending_since: float | None = None
        self._task: asyncio.Task[Any] | None = None
        self.closed = False
        # An id without data sets the reader's place and is no event (HTML, 9.2.6).
        self._first = f"retry: 1000\nid: {feed.run}-{position}\n\n".encode()
        if lost:
            self._first += f"id: {feed.run}-{position}\nevent: reset\ndata: {{}}\n\n".encode()

    def ping(self, ping: bytes) -> None:
        """Have the reader say that all is well."""
        self._ping = ping

    def wake(self, now: float) -> None:
        """Look for ticks; a reader whose peer does not take them is given up."""
        if self._waiting is not None:
            if not self._waiting.done():
                self._waiting.set_result(None)
        elif self._sending_since is None:
            self._sending_since = now
        elif now - self._sending_since > _SLOWEST_SEND_S:
            self.close()
            if self._task is not None:
                self._task.cancel()

    def close(self) -> None:
        """End the stream."""
        self.closed = True
        self._feed.readers.discard(self)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def next_chunk(self) -> bytes | None:
        """Wait for ticks or a ping; None when the stream has ended, also when it fell out of the ring."""
        self._task = asyncio.current_task()
        self._sending_since = None
        if self._first:
            first, self._first = self._first, b""
            return first
        while not self.closed:
            if self._position < self._feed.newest:
                chunk = self._feed.after(self._position)
                if chunk is None:
                    break
                self._position = self._feed.newest
                self._ping = b""
                return chunk
            if self._ping:
                ping, self._ping = self._ping, b""
                return ping
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        self.close()
        return None
