"""Recurring rules turned into windows of moments: weekly limits, tariffs by hour, in the site's own time zone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from pilotwire.domain.energy.model import LimitWindow, PhaseAmps, PriceWindow

__all__ = ["WeeklyLimit", "WeeklyPrice", "limit_windows", "price_windows"]


class Weekly(msgspec.Struct, frozen=True, kw_only=True):
    """Hours that come again: days as 0 Monday to 6 Sunday, months 1 to 12, minutes of the local day (1440 is midnight).

    A rule whose end is not after its beginning runs over midnight, into the day after the named one.
    """

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    months: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    from_minute: int = 0
    to_minute: int = 1440


class WeeklyLimit(Weekly, frozen=True, kw_only=True):
    """A limit of a node that holds in some hours of the week."""

    limit_a: PhaseAmps | None = None
    limit_w: float | None = None
    reason: str = ""


class WeeklyPrice(Weekly, frozen=True, kw_only=True):
    """A price of energy that holds in some hours of the week."""

    price_per_kwh: float


def limit_windows(
    rules: tuple[WeeklyLimit, ...], zone: ZoneInfo, starts_s: float, ends_s: float
) -> tuple[LimitWindow, ...]:
    """Return the windows of weekly limits that touch the time from `starts_s` to `ends_s`."""
    return tuple(
        LimitWindow(begin, end, rule.limit_a, rule.limit_w, rule.reason)
        for rule in rules
        for begin, end in _hours(rule, zone, starts_s, ends_s)
    )


def price_windows(
    rules: tuple[WeeklyPrice, ...], zone: ZoneInfo, starts_s: float, ends_s: float
) -> tuple[PriceWindow, ...]:
    """Return the windows of weekly prices that touch the time from `starts_s` to `ends_s`, in the order of the rules."""
    return tuple(
        PriceWindow(begin, end, rule.price_per_kwh)
        for rule in rules
        for begin, end in _hours(rule, zone, starts_s, ends_s)
    )


def _hours(rule: Weekly, zone: ZoneInfo, starts_s: float, ends_s: float) -> list[tuple[float, float]]:
    """Local days are walked, not hours, so that a day of 23 or 25 hours keeps the rule's wall-clock times."""
    found = []
    day = datetime.fromtimestamp(starts_s, UTC).astimezone(zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(ends_s, UTC).astimezone(zone).date()
    overnight = rule.to_minute <= rule.from_minute
    while day <= last:
        if day.weekday() in rule.days and day.month in rule.months:
            midnight = datetime.combine(day, time())
            begin = (midnight + timedelta(minutes=rule.from_minute)).replace(tzinfo=zone).timestamp()
            minutes = rule.to_minute + (1440 if overnight else 0)
            end = (midnight + timedelta(minutes=minutes)).replace(tzinfo=zone).timestamp()
            if end > starts_s and begin < ends_s and end > begin:
                found.append((begin, end))
        day += timedelta(days=1)
    return found
