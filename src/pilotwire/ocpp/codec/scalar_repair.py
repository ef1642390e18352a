"""Texts, numbers and times that real stations write, read as what they mean. Pure functions."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from pilotwire.ocpp.codec.wiretypes import FIRST_YEAR, LAST_YEAR


class Unrepairable(Exception):
    """The value cannot be read as what the field wants."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STRICT_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_TIME = re.compile(
    r"(?P<year>\d{4})[-/](?P<month>\d\d?)[-/](?P<day>\d\d?)[Tt ]+"
    r"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,40}(?:[.,]\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_EPOCH_SECONDS = range(1_000_000_000, 4_102_444_800)


def clean_text(text: str) -> str:
    """The text without control characters and surrounding blanks."""
    return _CONTROL.sub("", text).strip()


def number_of(value: Any) -> Decimal:
    """A number given as a number or as text, also with a decimal comma. Raises: Unrepairable."""
    if isinstance(value, bool):
        raise Unrepairable("a truth value where a number is due")
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise Unrepairable("not a finite number")
        return Decimal(repr(value))
    if isinstance(value, str) and _NUMBER.fullmatch(text := clean_text(value)):
        return Decimal(text.replace(",", "."))
    raise Unrepairable(f"{type_name(value)} where a number is due")


def rounded(number: Decimal, step: Decimal) -> Decimal:
    """The number to the nearest multiple of a power of ten, halves away from zero. Raises: Unrepairable."""
    try:
        return number.quantize(step, ROUND_HALF_UP)
    except InvalidOperation:
        raise Unrepairable("a number with too many digits") from None


def truth_of(value: Any) -> bool:
    """A truth value given as text or number. Raises: Unrepairable."""
    found = _TRUTH.get(str(value).strip().casefold()) if isinstance(value, str | int) else None
    if found is None:
        raise Unrepairable(f"{type_name(value)} where a truth value is due")
    return found


def time_of(value: Any) -> tuple[datetime, str | None]:
    """A point in time in UTC, and the deviation code if it was not written as RFC 3339 asks.

    A time without a zone is taken as UTC, as OCPP asks stations to work in UTC. Numbers are seconds or
    milliseconds since 1970. Raises: Unrepairable, also for times outside the years that are held plausible.
    """
    if isinstance(value, str):
        text = clean_text(value)
        if match := _TIME.fullmatch(text):
            moment = _moment(match)
            code = None if _STRICT_TIME.fullmatch(value) else "timestamp_format"
            return moment, code if match["zone"] else "timestamp_without_zone"
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= 13 else text
    if isinstance(value, int | float) and not isinstance(value, bool):
        for seconds in (value, value / 1000):
            if _EPOCH_SECONDS.start <= seconds < _EPOCH_SECONDS.stop:
                return datetime.fromtimestamp(seconds, UTC), "timestamp_epoch"
    raise Unrepairable("not a point in time")


def _moment(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute = (int(match[name]) for name in ("year", "month", "day", "hour", "minute"))
    second = int(match["second"] or 0)
    # A leap second is the first second of the next minute for everyone who cannot count it.
    leap = 1 if second == 60 else 0
    micros = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(year, month, day, hour, minute, second - leap, micros, tzinfo=_zone(match["zone"]))
        moment = (moment + timedelta(seconds=leap)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unrepairable("no such date or time") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Unrepairable(f"implausible year {moment.year}")
    return moment


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def type_name(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def shown(value: Any) -> str:
    """The value for a deviation's detail: short, and without control characters."""
    return _CONTROL.sub("?", repr(value)[:80])
