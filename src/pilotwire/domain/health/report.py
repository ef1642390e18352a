"""From rows to figures: pure, so that a thread can do it for a large network."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pilotwire.domain.health.uptime import Span, Uptime, gaps, intersection, sum_of, union, uptime_of
from pilotwire.domain.stations.opening import open_spans, read_hours

__all__ = ["Counts", "EvseHealth", "Facts", "StationHealth", "add_counts", "stations_health"]

_COUNTED = (
    "messages", "repaired", "connects", "plug_ins", "plug_ins_charged", "sessions", "sessions_successful", "energy_wh",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """What stations did in the days asked for."""

    messages: int = 0
    repaired: int = 0
    connects: int = 0
    plug_ins: int = 0
    plug_ins_charged: int = 0
    sessions: int = 0
    sessions_successful: int = 0
    energy_wh: Any = 0

    @property
    def plug_in_success_percent(self) -> float | None:
        """How many of the plug-ins led to a charge."""
        return self.plug_ins_charged / self.plug_ins * 100 if self.plug_ins else None

    @property
    def session_success_percent(self) -> float | None:
        """How many of the sessions delivered energy and were not ended by a fault."""
        return self.sessions_successful / self.sessions * 100 if self.sessions else None


@dataclass(frozen=True, slots=True)
class EvseHealth:
    """An EVSE: its uptime, and its outages, each with a word for its cause."""

    number: int
    uptime: Uptime
    outages: tuple[tuple[Span, str], ...]


@dataclass(frozen=True, slots=True)
class StationHealth:
    """A station: `row` is what is known of it, the rest was measured."""

    row: Any
    evses: tuple[EvseHealth, ...]
    counts: Counts

    @property
    def uptime(self) -> Uptime:
        """The uptime of all its EVSEs together."""
        return sum_of(evse.uptime for evse in self.evses)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read of several stations for a window."""

    window: Span
    stations: Sequence[Any]
    outlets: Mapping[int, Sequence[tuple[int, int]]]
    known_since: Mapping[int, datetime]
    connections: Sequence[Any]
    outages: Sequence[Any]
    downtime: Sequence[Any]
    days: Mapping[int, Any] = field(default_factory=dict)


def stations_health(facts: Facts) -> list[StationHealth]:
    """Measure the stations of the facts, in their order."""
    start, end = facts.window
    connected: defaultdict[int, list[Span]] = defaultdict(list)
    for row in facts.connections:
        connected[row.station_id].append((row.connected_at, row.disconnected_at or end))
    out: defaultdict[int, list[Any]] = defaultdict(list)
    for row in facts.outages:
        out[row.station_id].append(row)
    closed: dict[Any, list[Span]] = {}
    found = []
    for station in facts.stations:
        since = facts.known_since.get(station.id)
        window = (end, end) if since is None else (max(start, since), end)
        if station.site_id not in closed:
            closed[station.site_id] = _closed(station, facts.window)
        offline = gaps(window, connected[station.id]) if window[0] < window[1] else []
        evses = tuple(
            _evse(facts, station, number, window, offline, out[station.id], closed[station.site_id])
            for number in sorted({evse for evse, _ in facts.outlets.get(station.id, ())})
        )
        found.append(StationHealth(station, evses, counts_of(facts.days.get(station.id))))
    return found


def _evse(
    facts: Facts,
    station: Any,
    number: int,
    window: Span,
    offline: Sequence[Span],
    outages: Iterable[Any],
    closed: Sequence[Span],
) -> EvseHealth:
    end = facts.window[1]
    causes: dict[str, list[Span]] = {"offline": list(offline)}
    by_connector: dict[int, list[tuple[Span, str]]] = {
        connector: [] for evse, connector in facts.outlets[station.id] if evse == number
    }
    for row in outages:
        span = (row.started_at, row.ended_at or end)
        if row.evse_no == 0 or (row.evse_no == number and row.connector_no == 0):
            causes.setdefault(row.status, []).append(span)
        elif row.evse_no == number and row.connector_no in by_connector:
            by_connector[row.connector_no].append((span, row.status))
    # An EVSE serves one vehicle at a time: it is out when none of its connectors is left.
    common: list[Span] | None = None
    for spans in by_connector.values():
        mine = union(span for span, _ in spans)
        common = mine if common is None else intersection(common, mine)
    for status in ("faulted", "unavailable"):
        of_status = union(span for spans in by_connector.values() for span, word in spans if word == status)
        causes.setdefault(status, []).extend(intersection(of_status, common or []))
    excluded = [(row.started_at, row.ended_at) for row in facts.downtime if _is_about(row, station, number)]
    down = [span for spans in causes.values() for span in spans]
    told = [(span, cause) for cause, spans in causes.items() for span in intersection(union(spans), [window])]
    return EvseHealth(number, uptime_of(window, down, [*excluded, *closed]), tuple(sorted(told)))


def _is_about(row: Any, station: Any, evse_no: int) -> bool:
    if row.station_id is not None:
        return row.station_id == station.id and row.evse_no in (None, evse_no)
    return row.site_id is None or row.site_id == station.site_id


def _closed(station: Any, window: Span) -> list[Span]:
    if station.opening_hours is None:
        return []
    hours = read_hours(station.opening_hours)
    return gaps(window, open_spans(hours, ZoneInfo(station.time_zone), *window))


def counts_of(row: Any) -> Counts:
    """Make counts of a row of sums; None is nothing."""
    return Counts() if row is None else Counts(**{name: getattr(row, name) for name in _COUNTED})


def add_counts(parts: Iterable[Counts]) -> Counts:
    """Add up counts."""
    known = list(parts)
    return Counts(**{name: sum(getattr(each, name) for each in known) for name in _COUNTED})
