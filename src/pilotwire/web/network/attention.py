"""What needs a person: faults, stations that stay away, sessions that do not end, newcomers that wait."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from pilotwire.core.texts import say
from pilotwire.web.network.shapes import Station

__all__ = ["MOST_SHOWN", "Matter", "find_matters", "newest_first"]

MOST_SHOWN = 200
_AWAY = timedelta(minutes=10)
_STUCK = timedelta(hours=24)
_IDLE = frozenset({"available", "unavailable"})
_URGENCY = {"faulted": 0, "stuck_session": 1, "offline": 2, "pending": 3}


class Matter(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something to look at. `kind`: faulted, stuck_session, offline or pending."""

    kind: str
    station_id: str
    site_id: UUID | None
    since: datetime | None
    evse_id: int | None = None
    session_id: UUID | None = None
    detail: str = ""
    reason: dict[str, Any] | None = None
    """The detail by its code, to say it in another language."""


def find_matters(stations: Iterable[Station], now: datetime) -> list[Matter]:
    """Find what needs a person, the most urgent kind first and the newest first within a kind."""
    found: list[Matter] = []
    for station in stations:
        if station.admission != "accepted":
            if station.admission == "pending" and (station.connected or station.vendor):
                found.append(_matter("pending", station, station.last_seen_at))
            continue
        if not station.connected:
            # One that never came is not missing.
            if station.offline_since is not None and now - station.offline_since > _AWAY:
                found.append(_matter("offline", station, station.offline_since))
            continue
        for (evse_no, _), (status, error_code, since) in station.connectors.items():
            if status == "faulted":
                found.append(_matter("faulted", station, since, evse_id=evse_no or None, detail=error_code))
        if station.sessions:
            found += _stuck(station, now)
    return newest_first(found)


def newest_first(matters: list[Matter]) -> list[Matter]:
    """Sort by urgency, then the newest first."""
    return sorted(
        matters, key=lambda each: (_URGENCY[each.kind], -(each.since.timestamp() if each.since else 0))
    )


def _matter(kind: str, station: Station, since: datetime | None, **more: Any) -> Matter:
    return Matter(kind=kind, station_id=station.identity, site_id=station.site_id, since=since, **more)


def _stuck(station: Station, now: datetime) -> list[Matter]:
    """Find sessions that go on although their connector is free, or that nobody has heard of for a day."""
    found = []
    for facts in station.sessions.values():
        free = [
            since
            for (evse_no, _), (status, _, since) in station.connectors.items()
            if evse_no == facts.evse_no and status in _IDLE
        ]
        busy = any(
            evse_no == facts.evse_no and status not in _IDLE
            for (evse_no, _), (status, _, _) in station.connectors.items()
        )
        if free and not busy and now - max(free) > _AWAY:
            why, since = say("connector_free", "the connector is free"), max(free)
        elif now - facts.last_at > _STUCK:
            why, since = say("session_silent", "nothing heard of it for a day"), facts.last_at
        else:
            continue
        found.append(
            _matter(
                "stuck_session",
                station,
                since,
                evse_id=facts.evse_no,
                session_id=facts.id,
                detail=str(why),
                reason=why.reason(),
            )
        )
    return found
