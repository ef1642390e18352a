"""Events of demand response as OpenADR 3 tells them, and what they mean at a site: limits, prices, intensities.

Events of 2.0b come in the same words. Spec: OpenADR 3.0.1 and 3.1 Definition: events, intervals, payload types SIMPLE,
IMPORT_CAPACITY_LIMIT, DISPATCH_SETPOINT, DISPATCH_SETPOINT_RELATIVE, PRICE, GHG.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

__all__ = [
    "Effect",
    "EffectKind",
    "EventSpan",
    "Interval",
    "asks_nothing",
    "effects_of",
    "intervals_of",
    "read_duration",
    "span_of",
]

_DURATION = re.compile(
    r"^P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$"
)
_ENDLESS = ("P9999Y", "PT0S")
"""9999 years is the specification's word for no end."""
_LIMITS = ("IMPORT_CAPACITY_LIMIT", "IMPORT_CAPACITY_SUBSCRIPTION", "DISPATCH_SETPOINT")
_RELATIVE = {"DISPATCH_SETPOINT_RELATIVE": "limit_delta_w", "DISPATCH_SETPOINT_MULTIPLIER": "limit_factor"}
_MEANT = ("SIMPLE", "PRICE", "GHG", *_LIMITS, *_RELATIVE)
_TO_WATTS = {"KW": 1e3, "W": 1.0, "MW": 1e6}
_MOST_INTERVALS = 5_000

EffectKind = str
"""`limit_w`, `price` (per kWh), `average_intensity` (g/kWh), or a limit that is told by what the site usually buys then:
`limit_delta_w` more than that, `limit_factor` times that."""


class Interval(msgspec.Struct, frozen=True):
    """A part of an event; `ends_at` None: it has no end."""

    starts_at: datetime
    ends_at: datetime | None
    payloads: tuple[tuple[str, tuple[Any, ...]], ...]


class Effect(msgspec.Struct, frozen=True):
    """What an event asks of a site in a span of time."""

    kind: EffectKind
    starts_at: datetime
    ends_at: datetime | None
    value: float


class EventSpan(msgspec.Struct, frozen=True):
    """From when to when an event goes."""

    starts_at: datetime
    ends_at: datetime | None


def read_duration(text: str) -> timedelta | None:
    """Read an ISO 8601 duration; None has no end.

    Raises: ValueError.
    """
    if text.startswith(_ENDLESS[0]) or text == _ENDLESS[1]:
        return None
    found = _DURATION.match(text)
    if found is None or text in ("P", "PT"):
        raise ValueError(f"'{text}' is not a duration such as PT1H")
    parts = {name: float(value) for name, value in found.groupdict().items() if value is not None}
    return timedelta(**parts)


def intervals_of(event: Mapping[str, Any], received_at: datetime) -> list[Interval]:
    """Give the intervals of an event in order; one without a beginning of its own follows the one before.

    Raises: ValueError that says what is wrong with the event.
    """
    whole = event.get("intervalPeriod") or {}
    given = event.get("intervals") or []
    if len(given) > _MOST_INTERVALS:
        raise ValueError(f"the event has more than {_MOST_INTERVALS} intervals")
    cursor: datetime | None = _start(whole, received_at) or received_at
    found = []
    for each in given:
        period = each.get("intervalPeriod") or {}
        starts_at = _start(period, received_at) or cursor
        if starts_at is None:
            raise ValueError("an interval follows one that has no end")
        text = period.get("duration") or whole.get("duration") or _ENDLESS[0]
        length = read_duration(str(text))
        cursor = None if length is None else starts_at + length
        payloads = tuple(
            (str(payload.get("type", "")), tuple(payload.get("values") or ()))
            for payload in each.get("payloads") or ()
        )
        found.append(Interval(starts_at, cursor, payloads))
    return found


def span_of(intervals: Sequence[Interval], received_at: datetime) -> EventSpan:
    """Give the span of an event; one without intervals is nothing at all."""
    if not intervals:
        return EventSpan(received_at, received_at)
    ends = [each.ends_at for each in intervals]
    known = [each for each in ends if each is not None]
    last = None if len(known) < len(ends) else max(known)
    return EventSpan(min(each.starts_at for each in intervals), last)


def effects_of(
    event: Mapping[str, Any], intervals: Sequence[Interval], levels_w: Sequence[float]
) -> list[Effect]:
    """Give what an event asks of a site. `levels_w` are the limits of the levels 1, 2 and 3 of SIMPLE events.

    Raises: ValueError for a payload that cannot be read.
    """
    units = {
        str(each.get("payloadType")): str(each.get("units") or "").upper()
        for each in event.get("payloadDescriptors") or ()
    }
    return [
        effect
        for interval in intervals
        for kind, values in interval.payloads
        for effect in _effects(interval, kind, values, (units.get(kind, ""), levels_w))
    ]


def asks_nothing(intervals: Sequence[Interval]) -> bool:
    """Tell whether an event says itself that nothing is asked: level 0 of SIMPLE in all its intervals, or no interval."""
    return all(
        kind == "SIMPLE" and tuple(values) in ((0,), (0.0,))
        for interval in intervals
        for kind, values in interval.payloads
    )


def _effects(
    interval: Interval, kind: str, values: tuple[Any, ...], means: tuple[str, Sequence[float]]
) -> Iterator[Effect]:
    unit, levels_w = means
    if kind not in _MEANT:
        return
    if not values or isinstance(values[0], bool) or not isinstance(values[0], int | float):
        raise ValueError(f"a payload {kind} has no number as its value")
    value = float(values[0])
    if kind == "SIMPLE":
        level = _level(value)
        if level == 0 or not levels_w:
            return
        value, name = levels_w[min(level, len(levels_w)) - 1], "limit_w"
    elif kind in _LIMITS:
        value, name = max(0.0, value) * _to_watts(kind, unit), "limit_w"
    elif kind in _RELATIVE:
        value, name = value * _to_watts(kind, unit), _RELATIVE[kind]
    elif kind == "PRICE":
        if unit not in ("", "KWH", "MWH"):
            raise ValueError(f"a price per {unit} cannot be read; KWH and MWH can")
        value, name = value / (1e3 if unit == "MWH" else 1.0), "price"
    else:
        name = "average_intensity"
    yield Effect(name, interval.starts_at, interval.ends_at, value)


def _level(value: float) -> int:
    level = int(value)
    if level != value or not 0 <= level <= 3:
        raise ValueError(f"SIMPLE has levels 0 to 3, not {value:g}")
    return level


def _to_watts(kind: str, unit: str) -> float:
    if kind == "DISPATCH_SETPOINT_MULTIPLIER":
        return 1.0
    if unit and unit not in _TO_WATTS:
        raise ValueError(f"{kind} in {unit} cannot be read; KW, W and MW can")
    return _TO_WATTS[unit or "KW"]


def _start(period: Mapping[str, Any], received_at: datetime) -> datetime | None:
    text = period.get("start")
    if not text:
        return None
    if str(text).startswith("0000"):
        return received_at  # the specification's word for now
    found = datetime.fromisoformat(str(text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
