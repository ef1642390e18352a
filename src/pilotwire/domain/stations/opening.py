"""Opening hours of a site: by weekday, with exceptional days; in the site's own time zone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say

__all__ = ["OpeningHours", "Span", "hours_from_text", "hours_to_text", "is_open", "open_spans", "read_hours"]

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_MOST_EXCEPTIONS = 500


class Weekday(StrEnum):
    """The days in the order of `date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_DAYS = tuple(Weekday)


class Span(msgspec.Struct, frozen=True):
    """From `opens` to `closes` on one day, as HH:MM; 24:00 is the end of the day."""

    opens: str
    closes: str


class ExceptionalDay(msgspec.Struct, frozen=True):
    """The hours of one date, in place of its weekday's; none: closed."""

    date: date
    hours: tuple[Span, ...] = ()
    note: str = ""


class OpeningHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a site is open. A weekday that is not named is closed, unless it is always open."""

    always_open: bool = False
    weekdays: dict[Weekday, tuple[Span, ...]] = {}
    exceptions: tuple[ExceptionalDay, ...] = ()


def read_hours(value: Any) -> OpeningHours:
    """Read opening hours as people give them.

    Raises: Invalid when a span is no span, or two of a day overlap.
    """
    try:
        hours = msgspec.convert(value, OpeningHours)
    except msgspec.ValidationError as error:
        raise Invalid(f"opening_hours: {error}") from error
    for day, spans in hours.weekdays.items():
        _check(day, spans)
    if len(hours.exceptions) > _MOST_EXCEPTIONS:
        raise Invalid(
            say("hours_too_many", "opening_hours: at most {most} exceptional days", most=_MOST_EXCEPTIONS)
        )
    seen = set()
    for each in hours.exceptions:
        if each.date in seen:
            raise Invalid(
                say(
                    "hours_date_twice",
                    "opening_hours: {date} is there twice; put all its hours into one exception",
                    date=each.date,
                )
            )
        seen.add(each.date)
        _check(str(each.date), each.hours)
    return hours


def _check(day: str, spans: Sequence[Span]) -> None:
    end = ""
    for span in spans:
        if not _CLOCK.fullmatch(span.opens) or not _CLOCK.fullmatch(span.closes):
            raise Invalid(
                say("hours_times", "opening_hours: {day}: write times as HH:MM, from 00:00 to 24:00", day=day)
            )
        if span.opens >= span.closes:
            raise Invalid(
                say(
                    "hours_backwards",
                    "opening_hours: {day}: {opens}-{closes} ends before it begins;"
                    " hours past midnight are two: until 24:00, and from 00:00 of the next day",
                    day=day,
                    opens=span.opens,
                    closes=span.closes,
                )
            )
        if span.opens < end:
            raise Invalid(
                say("hours_overlap", "opening_hours: {day}: the hours overlap or are not in order", day=day)
            )
        end = span.closes


def open_spans(
    hours: OpeningHours | None, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Give the times between two moments at which a site is open, in UTC; without hours it is open always."""
    if hours is None or (hours.always_open and not hours.exceptions):
        yield start, end
        return
    special = {each.date: each.hours for each in hours.exceptions}
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for span in _of_day(hours, special, day):
            opens = max(start, _moment(day, span.opens, zone))
            closes = min(end, _moment(day, span.closes, zone))
            if opens < closes:
                yield opens, closes
        day += timedelta(days=1)


def is_open(hours: OpeningHours | None, zone: ZoneInfo, now: datetime) -> bool:
    """Tell whether a site is open."""
    return any(True for _ in open_spans(hours, zone, now, now + timedelta(microseconds=1)))


def _of_day(hours: OpeningHours, special: Mapping[date, tuple[Span, ...]], day: date) -> Sequence[Span]:
    if day in special:
        return special[day]
    if hours.always_open:
        return (Span("00:00", "24:00"),)
    return hours.weekdays.get(_DAYS[day.weekday()], ())


def _moment(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


# ---- as one cell of a table -----------------------------------------------------------------------------------


def hours_to_text(hours: OpeningHours | None) -> str:
    """Write opening hours in one line: `mon 08:00-12:00,13:00-18:00; 2026-12-24 closed`."""
    if hours is None:
        return ""
    parts = ["always"] if hours.always_open else []
    parts += [f"{day[:3]} {_spans(hours.weekdays[day])}" for day in _DAYS if day in hours.weekdays]
    parts += [f"{each.date} {_spans(each.hours)}" for each in hours.exceptions]
    return "; ".join(parts) or "closed"


def hours_from_text(text: str) -> OpeningHours | None:
    """Read what `hours_to_text` writes; days may be a range such as `mon-fri`. An empty text is None.

    Raises: Invalid.
    """
    always, weekdays, exceptions = False, {}, []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        day, _, rest = part.partition(" ")
        if not rest and day in ("always", "closed"):
            always = always or day == "always"
            continue
        spans = [] if rest == "closed" else [_span(each) for each in rest.split(",")]
        if day[:1].isdigit():
            exceptions.append({"date": day, "hours": spans})
        else:
            weekdays.update(dict.fromkeys(_weekdays(day), spans))
    if not text.strip():
        return None
    return read_hours({"always_open": always, "weekdays": weekdays, "exceptions": exceptions})


def _spans(spans: Sequence[Span]) -> str:
    return ",".join(f"{span.opens}-{span.closes}" for span in spans) or "closed"


def _span(text: str) -> dict[str, str]:
    opens, _, closes = text.strip().partition("-")
    return {"opens": opens, "closes": closes}


def _weekdays(text: str) -> Sequence[str]:
    short = [day[:3] for day in _DAYS]
    first, _, last = text.casefold().partition("-")
    try:
        begin = short.index(first)
        end = short.index(last) if last else begin
    except ValueError:
        begin, end = 1, 0
    if begin > end:
        raise Invalid(
            say(
                "hours_no_day",
                "opening_hours: '{text}' is no day; write mon, tue-fri or a date such as 2026-12-24",
                text=text[:20],
            )
        )
    return _DAYS[begin : end + 1]
