"""The picture of one tenant's network: read once, then kept by what the bus says, and turned into ticks.

Notices cost a place in a list when they come; they are folded at the next tick, so that a frame of a station never
waits for the picture.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from pilotwire.db.engine import Database, Scope
from pilotwire.domain.local_lists.events import LocalListChanged
from pilotwire.domain.operations.events import CommandChanged, TaskChanged
from pilotwire.domain.sessions.live_queries import open_sessions, sums_of_ended
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.live_queries import page_of_connectors, page_of_stations, site_names
from pilotwire.domain.stations.ports import StationChanged, StationConnected, StationRemoved
from pilotwire.domain.stations.records import (
    ConnectorStatusChanged,
    SecurityEventKept,
    StationBootKept,
    StationDisconnected,
    StationProgressKept,
)
from pilotwire.web.event_names import SHAPES, session_name, show_session_event
from pilotwire.web.network.shapes import (
    LiveStation,
    Station,
    Totals,
    add_share,
    changed_fields,
    share_of,
)

__all__ = ["NOTICES", "Change", "Event", "Picture"]

NOTICES = (
    StationConnected, StationDisconnected, StationBootKept, StationProgressKept, SecurityEventKept,
    ConnectorStatusChanged, StationChanged, StationRemoved, SessionKept, CommandChanged, TaskChanged,
    LocalListChanged,
)  # fmt: skip

log = structlog.get_logger(__name__)

_PAGE = 500


class Change:
    """How a station's look changed in a tick: `old` and `new` are None for one that was not there, or is gone."""

    __slots__ = ("fields", "new", "old")

    def __init__(self, old: LiveStation | None, new: LiveStation | None) -> None:
        self.old = old
        self.new = new
        self.fields = changed_fields(old, new) if old is not None and new is not None else {}


Event = tuple[Station | None, Mapping[str, Any]]
"""The station that an event is about (None: it is about the network, or a station not read yet), and the event."""


class Picture:
    """The stations of one tenant as they are now. Lives on one event loop."""

    def __init__(self, db: Database, tenant_id: int, clock: Callable[[], datetime]) -> None:
        self._db = db
        self.tenant_id = tenant_id
        self._clock = clock
        self.stations: dict[int, Station] = {}
        self.sites: dict[UUID, str] = {}
        self.totals: dict[UUID | None, Totals] = {}
        self.midnight = _midnight(clock())
        self.ready = asyncio.Event()
        self._queue: list[Any] = []
        self._by_identity: dict[str, Station] = {}
        self._unread: set[int] = set()
        self._being_read: frozenset[int] = frozenset()
        self._held: list[Any] = []
        self._reading: asyncio.Task[None] | None = None
        self._removed: list[LiveStation] = []
        self._dirty: set[int] = set()
        self._events: list[Event] = []

    def take(self, notice: Any) -> None:
        """Keep a notice until the next tick."""
        self._queue.append(notice)

    async def load(self) -> None:
        """Read everything; notices that come in the meantime are folded over it afterwards."""
        self.midnight = _midnight(self._clock())
        async with self._db.tenant(Scope(self.tenant_id)) as connection:
            self.sites = await site_names(connection)
            sums = {row.station_id: row for row in await sums_of_ended(connection, self.midnight)}
            after = 0
            while rows := await page_of_stations(connection, after=after, limit=_PAGE):
                after = rows[-1].id
                for station in (await _read_page(connection, rows)).values():
                    _take_sums(station, sums.get(station.number))
                    self._add(station)
                    station.shown = station.show(self.sites)
                    self._count(station)
                await asyncio.sleep(0)  # frames of stations go first
        self.ready.set()

    def tick(self) -> tuple[list[Change], list[Event]]:
        """Fold what came since the last tick, and say what changed by it."""
        queue, self._queue = self._queue, []
        for notice in queue:
            self._fold(notice)
        if self._unread and self._reading is None:
            self._reading = asyncio.create_task(self._read_again())
        changes = [Change(gone, None) for gone in self._removed]
        self._removed = []
        dirty, self._dirty = self._dirty, set()
        for number in dirty:
            station = self.stations.get(number)
            if station is None:
                continue
            old = station.shown
            station.shown = station.show(self.sites)
            self._count(station)
            change = Change(old, station.shown)
            if old is None or change.fields:
                changes.append(change)
        events, self._events = self._events, []
        return changes, events

    def day_is_over(self) -> bool:
        """Tell whether a new day has begun since the figures of today were read."""
        return _midnight(self._clock()) != self.midnight

    async def read_sums(self) -> None:
        """Begin the figures of a new day."""
        midnight = _midnight(self._clock())
        async with self._db.tenant(Scope(self.tenant_id)) as connection:
            sums = {row.station_id: row for row in await sums_of_ended(connection, midnight)}
        self.midnight = midnight
        for station in self.stations.values():
            _take_sums(station, sums.get(station.number))
            self._count(station)

    async def read_sites(self) -> None:
        """Read the sites' names again; they are few, and nobody tells when they change."""
        async with self._db.tenant(Scope(self.tenant_id)) as connection:
            sites = await site_names(connection)
        if sites != self.sites:
            renamed = {
                key for key in sites.keys() | self.sites.keys() if sites.get(key) != self.sites.get(key)
            }
            self.sites = sites
            self._dirty.update(
                station.number for station in self.stations.values() if station.site_id in renamed
            )

    def stop(self) -> None:
        """Give up what is being read."""
        if self._reading is not None:
            self._reading.cancel()

    def _count(self, station: Station) -> None:
        """Put what a station contributes to the figures in the place of what it did before."""
        assert station.shown is not None  # noqa: S101 - it was shown just now
        share = share_of(station, station.shown, self.midnight)
        known = station.share
        site_id = station.shown.site_id
        if known == share and station.counted_at == site_id:
            return
        if known is not None:
            add_share(self.totals[station.counted_at], known, -1)
        add_share(self.totals.setdefault(site_id, Totals()), share)
        station.share, station.counted_at = share, site_id

    # Folding

    def _fold(self, notice: Any) -> None:
        kind = type(notice)
        if kind is TaskChanged:
            self._tell(None, notice)
            return
        if (
            kind is CommandChanged or kind is LocalListChanged
        ):  # news of a station that do not change its look
            self._tell(self._by_identity.get(notice.identity), notice)
            return
        number = notice.record.id if kind is StationChanged else notice.station_id
        if number in self._being_read:
            self._held.append(notice)
            return
        if kind is StationRemoved:
            self._remove(number, notice.identity)
            return
        station = self.stations.get(number)
        if station is None or kind is StationChanged:
            self._unread.add(number)
        if station is not None:
            self._dirty.add(number)
            if kind is SessionKept:
                self._fold_session(station, notice)
            else:
                _FOLDS[kind](station, notice)
        if kind is SessionKept:
            self._tell_session(station, notice)
        elif kind is not ConnectorStatusChanged or notice.current:
            self._tell(station, notice)

    def _fold_session(self, station: Station, notice: SessionKept) -> None:
        facts = notice.facts
        station.last_seen_at = notice.received_at
        if not facts.ended:
            station.sessions[facts.transaction_ref] = facts
            return
        known = station.sessions.pop(facts.transaction_ref, None)
        # A correction of a session that had ended before is counted when the sums are read again.
        if (known is not None or notice.new) and (facts.started_at or facts.first_at) >= self.midnight:
            station.ended_sessions += 1
            station.ended_energy_wh += float(facts.energy_wh or 0)

    def _remove(self, number: int, identity: str) -> None:
        station = self.stations.pop(number, None)
        self._unread.discard(number)
        if station is None or station.shown is None:
            return
        del self._by_identity[station.identity]
        if station.share is not None:
            add_share(self.totals[station.counted_at], station.share, -1)
        self._removed.append(station.shown)
        event = {"type": "station.removed", "at": self._clock(), "station_id": identity}
        self._events.append((station, event))

    def _tell(self, station: Station | None, notice: Any) -> None:
        name, shape = SHAPES[type(notice)]
        shown = {"what" if key == "type" else key: value for key, value in shape(notice).items()}
        self._events.append((station, {**shown, "type": name, "at": shown.get("at") or self._clock()}))

    def _tell_session(self, station: Station | None, notice: SessionKept) -> None:
        name = session_name(notice)
        if name != "session.updated":
            shown = show_session_event(notice)
            at = shown["ended_at"] or shown["started_at"]
            self._events.append((station, {**shown, "type": name, "at": at}))

    async def _read_again(self) -> None:
        """Read stations of which people changed something, or that are new here.

        What is told of the new ones meanwhile is held back until they are there.
        """
        numbers, self._unread = sorted(self._unread), set()
        self._being_read = frozenset(numbers)
        try:
            for start in range(0, len(numbers), _PAGE):
                wanted = numbers[start : start + _PAGE]
                async with self._db.tenant(Scope(self.tenant_id)) as connection:
                    rows = await page_of_stations(connection, limit=_PAGE, only=wanted)
                    fresh = await _read_page(connection, rows) if rows else {}
                for row in rows:
                    known = self.stations.get(row.id)
                    if known is None:
                        self._add(fresh[row.id])
                    else:
                        known.take_record(row)
                    self._dirty.add(row.id)
        except Exception as error:  # most likely the database is away
            log.warning("the live picture could not read stations", error=repr(error)[:300])
            self._unread.update(numbers)
            await asyncio.sleep(1)
        finally:
            self._being_read = frozenset()
            held, self._held = self._held, []
            self._queue[:0] = held
            self._reading = None

    def _add(self, station: Station) -> None:
        self.stations[station.number] = self._by_identity[station.identity] = station


async def _read_page(connection: Any, rows: Sequence[Any]) -> dict[int, Station]:
    stations = {row.id: Station(row) for row in rows}
    numbers = list(stations)
    for found in await page_of_connectors(connection, numbers):
        if found.station_id in stations:
            key = (found.evse_no, found.connector_no)
            stations[found.station_id].connectors[key] = (found.status, found.error_code, found.status_at)
    for number, facts in await open_sessions(connection, numbers):
        if number in stations:
            stations[number].sessions[facts.transaction_ref] = facts
    return stations


def _take_sums(station: Station, row: Any) -> None:
    station.ended_sessions = row.sessions if row else 0
    station.ended_energy_wh = float(row.energy_wh) if row else 0.0


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _connected(station: Station, notice: StationConnected) -> None:
    station.connected = True
    station.ocpp_version = notice.ocpp_version
    station.last_seen_at = notice.at
    station.offline_since = None


def _disconnected(station: Station, notice: StationDisconnected) -> None:
    station.connected = False
    station.last_seen_at = station.offline_since = notice.at


def _booted(station: Station, notice: StationBootKept) -> None:
    station.vendor, station.model = notice.vendor, notice.model
    station.firmware_version = notice.firmware_version
    station.last_seen_at = notice.booted_at


def _connector(station: Station, notice: ConnectorStatusChanged) -> None:
    if notice.current:
        key = (notice.evse_no, notice.connector_no)
        station.connectors[key] = (notice.status, notice.error_code, notice.status_at)
        station.last_seen_at = notice.received_at


def _nothing(station: Station, notice: Any) -> None:
    """The event alone is told."""


_FOLDS: Mapping[type, Callable[[Station, Any], None]] = {
    StationConnected: _connected,
    StationDisconnected: _disconnected,
    StationBootKept: _booted,
    StationProgressKept: _nothing,
    SecurityEventKept: _nothing,
    ConnectorStatusChanged: _connector,
    StationChanged: _nothing,
}
