"""Uptime of an EVSE, from the times in which it could not charge anybody.

NEVI: 23 CFR 680.116(b)(3): µ = (525,600 − (T_outage − T_excluded)) / 525,600 × 100, in minutes of the year before.
Here the same over the window that is asked for: its length takes the place of 525,600, from the first connection on.
T_excluded: outages caused by what the rule names (entered by people), and outside of the hours of operation.

AFIR (Regulation (EU) 2023/1804) has no formula and no threshold; Article 20(2) has operators publish whether a
recharging point is operational. The share of the window in which it was is given beside, with nothing taken out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["Span", "Uptime", "gaps", "intersection", "sum_of", "total", "union", "uptime_of"]

Span = tuple[datetime, datetime]

_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Uptime:
    """How long an EVSE was looked at, how long it was out, and how much of that does not count. Units: s."""

    window_s: float
    outage_s: float
    excluded_s: float

    @property
    def nevi_percent(self) -> float | None:
        """µ of 23 CFR 680.116(b)(3) over the window; None when there was nothing to look at."""
        if not self.window_s:
            return None
        return (self.window_s - (self.outage_s - self.excluded_s)) / self.window_s * 100

    @property
    def operational_percent(self) -> float | None:
        """The share of the window in which it was operational, with nothing excluded."""
        return (self.window_s - self.outage_s) / self.window_s * 100 if self.window_s else None


def uptime_of(window: Span, down: Iterable[Span], excluded: Iterable[Span]) -> Uptime:
    """Measure the uptime in a window; `excluded` are times in which an outage does not count."""
    if window[0] >= window[1]:
        return Uptime(0, 0, 0)
    out = intersection(union(down), [window])
    return Uptime(
        (window[1] - window[0]).total_seconds(),
        total(out).total_seconds(),
        total(intersection(out, union(excluded))).total_seconds(),
    )


def sum_of(parts: Iterable[Uptime]) -> Uptime:
    """Add up several EVSEs: each counts by the time that it was looked at."""
    known = list(parts)
    return Uptime(
        sum(each.window_s for each in known),
        sum(each.outage_s for each in known),
        sum(each.excluded_s for each in known),
    )


def union(spans: Iterable[Span]) -> list[Span]:
    """Give the times that are in one of the spans, in order, without overlap."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def intersection(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Give the times that are in both; each is in order and without overlap."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return found


def gaps(window: Span, spans: Iterable[Span]) -> list[Span]:
    """Give the times of a window that are in none of the spans."""
    found: list[Span] = []
    at = window[0]
    for start, end in union(spans):
        if start > at:
            found.append((at, min(start, window[1])))
        at = max(at, end)
        if at >= window[1]:
            break
    if at < window[1]:
        found.append((at, window[1]))
    return [span for span in found if span[0] < span[1]]


def total(spans: Iterable[Span]) -> timedelta:
    """Add up spans."""
    return sum((end - start for start, end in spans), _NOTHING)
