"""What both families of versions share when they turn a station's message into a domain message."""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from pilotwire.domain.sessions.registers import LARGEST_REGISTER_WH
from pilotwire.domain.stations.model import Admission
from pilotwire.ocpp.codec.errors import FaultKind, PayloadError

__all__ = [
    "Inbound",
    "clean_uid",
    "current_time",
    "number",
    "number_or_none",
    "or_blank",
    "or_none",
    "register_wh",
    "trimmed",
]

_LARGEST_NUMBER = 2**31 - 1


class Inbound(msgspec.Struct, frozen=True):
    """How one action of one version is read and answered.

    `read(request, notes)` gives the domain message and adds the names of repairs to `notes`;
    `answer(answer, request)` gives the response's Struct, or its bytes where they never change.
    """

    read: Callable[[Any, list[str]], Any]
    answer: Callable[[Any, Any], Any]


ADMISSION = {Admission.ACCEPTED: "Accepted", Admission.PENDING: "Pending", Admission.REJECTED: "Rejected"}
"""How all versions spell the answer to a boot."""

DATA_STATUS = {
    "accepted": "Accepted",
    "rejected": "Rejected",
    "unknown_vendor": "UnknownVendorId",
    "unknown_message": "UnknownMessageId",
}
"""How all versions spell the answer to a data transfer."""


def nothing(answer: Any, request: Any) -> bytes:
    """Spell an answer that has no content."""
    del answer, request
    return b"{}"


def current_time(now: datetime) -> bytes:
    """Spell the answer to a heartbeat, the most frequent answer with a content; it is the same in all versions."""
    return b'{"currentTime":"%bZ"}' % now.isoformat(timespec="milliseconds")[:23].encode()


def or_blank(value: str | UnsetType) -> str:
    """Give a text that may be missing."""
    return "" if value is UNSET else value


def or_none(value: Any) -> Any:
    """Give a value that may be missing, as None if it is."""
    return None if value is UNSET else value


def trimmed(value: str | UnsetType) -> str:
    """Give a text that may be missing, without what displays and databases cannot show."""
    if value is UNSET:
        return ""
    return value.strip() if value.isprintable() else clean(value)


def clean(text: str) -> str:
    """Drop control characters: some stations pad with NUL or send what their reader's line noise gave."""
    return "".join(c for c in text if unicodedata.category(c)[0] != "C").strip()


def clean_uid(uid: str, notes: list[str]) -> str:
    """Give a token's uid without padding and control characters."""
    if uid.isprintable() and not uid.startswith(" ") and not uid.endswith(" "):
        return uid
    notes.append("token_uid_cleaned")
    return clean(uid)


def number(path: str, value: int) -> int:
    """Give a number that must fit into 32 bits. The schemas set no bound; no station has that many of anything.

    Raises: PayloadError.
    """
    if -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        return value
    raise PayloadError(FaultKind.VALUE, path, f"a number of more than 32 bits: {value}")


def number_or_none(value: int | UnsetType, notes: list[str]) -> int | None:
    """Give a number that may be missing, and is taken for missing where no system of ours can have given it."""
    if value is UNSET:
        return None
    if -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        return value
    notes.append("number_too_large")
    return None


def register_wh(value: int, notes: list[str]) -> Decimal | None:
    """Give a register stated at the start or end, None where it can be no register. Units: Wh."""
    if -LARGEST_REGISTER_WH < value < LARGEST_REGISTER_WH:
        return Decimal(value)
    notes.append("meter_value_not_a_number")
    return None
