"""How a task goes over many stations: in waves, and within a maintenance window. Pure."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say

__all__ = ["Wave", "Window", "allot_waves", "next_opening"]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Wave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a task's stations: `percent` of all, or `count` of them; without either the rest.

    When `success_percent` of its stations have succeeded the next wave begins `wait_s` later; as soon as that cannot
    come about any more the task pauses.
    """

    percent: Annotated[float, Meta(gt=0, le=100)] | None = None
    count: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    success_percent: Annotated[float, Meta(gt=0, le=100)] = 95
    wait_s: Annotated[int, Meta(ge=0, le=90 * 86_400)] = 0

    def __post_init__(self) -> None:
        if self.percent is not None and self.count is not None:
            raise ValueError("a wave has a percent or a count")


class Window(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "to"},
):
    """The time of the day at which commands go out; `days` are those on which it begins.

    The clock is that of the station's site, or of `time_zone`. From a time to the same time is the whole day.
    """

    start: str
    end: str
    days: tuple[Day, ...] = _DAYS
    time_zone: str | None = None

    def __post_init__(self) -> None:
        for text in (self.start, self.end):
            if _CLOCK.fullmatch(text) is None:
                raise ValueError("from and to are times such as 22:00")
        if not self.days:
            raise ValueError("name a day at least, or leave days out")
        if self.time_zone is not None:
            zone_of(self.time_zone)


def zone_of(name: str) -> ZoneInfo:
    """Give a time zone. Raises: ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"'{name[:60]}' is no time zone of the IANA database (such as Europe/Berlin)"
        ) from error


def allot_waves(total: int, waves: Sequence[Wave]) -> list[tuple[Wave, int]]:
    """Share stations out to waves, in their order; what is over makes a last wave like the one before.

    A percentage is of all and makes one station at least; waves for which none is left are left out.

    Raises: Invalid when a wave follows one that takes the rest.
    """
    shared: list[tuple[Wave, int]] = []
    left = total
    for number, wave in enumerate(waves):
        if wave.percent is None and wave.count is None and number < len(waves) - 1:
            raise Invalid(
                say("waves_rest", "only the last wave takes the rest: give the others a percent or a count")
            )
        size = left
        if wave.percent is not None:
            size = min(left, max(1, math.ceil(total * wave.percent / 100 - 1e-9)))
        elif wave.count is not None:
            size = min(left, wave.count)
        if size:
            shared.append((wave, size))
        left -= size
    if left:
        last = waves[-1]
        shared.append((Wave(success_percent=last.success_percent), left))
    return shared


def next_opening(window: Window, time_zone: str, now: datetime) -> datetime | None:
    """Tell when a window opens, None while it is open. Local times follow the changes of the clock."""
    zone = ZoneInfo(window.time_zone or time_zone)
    start, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
    today = now.astimezone(zone).date()
    openings = []
    for offset in range(-1, 9):
        day = today + timedelta(days=offset)
        if _DAYS[day.weekday()] not in window.days:
            continue
        opens = datetime.combine(day, start, zone).astimezone(UTC)
        last = day if end > start else day + timedelta(days=1)
        if opens <= now < datetime.combine(last, end, zone).astimezone(UTC):
            return None
        if opens > now:
            openings.append(opens)
    return min(openings)
