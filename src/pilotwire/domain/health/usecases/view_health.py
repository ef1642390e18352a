"""Looking at health: one station, or all by station, site or model."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.health import queries
from pilotwire.domain.health.counting import count_day
from pilotwire.domain.health.report import Counts, Facts, StationHealth, add_counts, stations_health
from pilotwire.domain.health.uptime import Uptime, sum_of
from pilotwire.domain.identity.model import Principal, Right, require

__all__ = ["By", "Days", "GroupHealth", "StationNow", "days_of", "get_health", "report_health"]

By = Literal["station", "site", "model"]

_FLAPPING = 5
_MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Days:
    """Days in UTC, both included, and the moments that they are: up to now at most."""

    first: date
    last: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class StationNow:
    """A station's health in some days, and how its connection is now."""

    days: Days
    health: StationHealth
    connects_last_hour: int
    connects_last_day: int
    clock_offset_s: float | None

    @property
    def flapping(self) -> bool:
        """Whether it connects again and again: five times an hour or more."""
        return self.connects_last_hour >= _FLAPPING


@dataclass(frozen=True, slots=True)
class GroupHealth:
    """Several stations together; `worst` is the uptime of the EVSE that was out the longest."""

    key: str
    name: str
    stations: int
    connected: int
    evses: int
    uptime: Uptime
    worst: Uptime | None
    counts: Counts


def days_of(first: date | None, last: date | None, now: datetime) -> Days:
    """Give the days asked for; without a first one the last thirty.

    Raises: Invalid when they end before they begin, are in the future, or are more than 400.
    """
    last = last or now.date()
    first = first or last - timedelta(days=29)
    if not first <= last:
        raise Invalid(f"the days end ({last}) before they begin ({first})")
    if first > now.date():
        raise Invalid(f"{first} has not come yet")
    if (last - first).days >= _MOST_DAYS:
        raise Invalid(f"at most {_MOST_DAYS} days at once")
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return Days(first, last, datetime(first.year, first.month, first.day, tzinfo=UTC), min(end, now))


async def get_health(
    db: Database, principal: Principal, identity: str, days: Days, now: datetime
) -> StationNow:
    """Measure one station, as of now.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        stations = await queries.list_stations(connection, identity=identity)
    if not stations:
        raise NotFound(say("station_unknown", "there is no station '{station}'", station=identity))
    station_id = stations[0].id
    # What it did today is counted now; the job is minutes behind.
    async with db.service.acquire() as service:
        await count_day(service, now.date(), [station_id])
    async with db.tenant(principal.scope) as connection:
        facts = await _facts(connection, stations, days)
        hour = await queries.connects_since(connection, station_id, now - timedelta(hours=1))
        day = await queries.connects_since(connection, station_id, now - timedelta(days=1))
        offset_s = await queries.clock_offset_s(connection, station_id)
    return StationNow(days, stations_health(facts)[0], hour, day, offset_s)


async def report_health(
    db: Database,
    principal: Principal,
    by: By,
    days: Days,
    *,
    after: str | None = None,
    limit: int = 100,
) -> list[GroupHealth]:
    """Measure all stations, put together by station, site or model, in the order of their keys."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        single = by == "station"
        stations = await queries.list_stations(
            connection, after=after if single else None, limit=limit if single else None
        )
        facts = await _facts(connection, stations, days)
    groups = await asyncio.to_thread(_grouped, facts, _KEYS[by])
    chosen = [group for group in groups if single or after is None or group.key > after]
    return chosen[:limit]


async def _facts(connection: AsyncConnection, stations: Sequence[Any], days: Days) -> Facts:
    ids = [station.id for station in stations]
    window = (days.start, days.end)
    return Facts(
        window,
        stations,
        await queries.list_outlets(connection, ids),
        await queries.first_connections(connection, ids),
        await queries.list_connections(connection, ids, *window),
        await queries.list_outages(connection, ids, *window),
        await queries.list_downtime(connection, station_ids=ids, between=window),
        await queries.list_days(connection, ids, days.first, days.last),
    )


_KEYS: dict[By, Callable[[Any], tuple[str, str]]] = {
    "station": lambda row: (row.identity, row.name),
    "site": lambda row: ("", "") if row.site_id is None else (str(row.site_id), row.site_name),
    "model": lambda row: (f"{row.vendor} {row.model}".strip(), f"{row.vendor} {row.model}".strip()),
}


def _grouped(facts: Facts, key: Callable[[Any], tuple[str, str]]) -> list[GroupHealth]:
    groups: dict[tuple[str, str], list[StationHealth]] = {}
    for health in stations_health(facts):
        groups.setdefault(key(health.row), []).append(health)
    found = []
    for (word, name), members in sorted(groups.items()):
        evses = [evse.uptime for member in members for evse in member.evses if evse.uptime.window_s]
        found.append(
            GroupHealth(
                key=word,
                name=name,
                stations=len(members),
                connected=sum(member.row.connected for member in members),
                evses=sum(len(member.evses) for member in members),
                uptime=sum_of(evses),
                worst=min(evses, key=lambda each: each.nevi_percent or 0, default=None),
                counts=add_counts(member.counts for member in members),
            )
        )
    return found
