"""What both families of versions share when they turn a station's message into a domain message."""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

__all__ = ["Inbound", "clean_uid", "current_time", "or_blank", "or_none", "trimmed"]


class Inbound(msgspec.Struct, frozen=True):
    """How one action of one version is read and answered.

    `read(request, notes)` gives the domain message and adds the names of repairs to `notes`;
    `answer(answer, request)` gives the response's Struct, or its bytes where they never change.
    """

    read: Callable[[Any, list[str]], Any]
    answer: Callable[[Any, Any], Any]


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
