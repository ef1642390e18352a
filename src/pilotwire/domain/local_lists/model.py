"""Local lists: what a station can hold, what it should hold, and where that stands."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from pilotwire.domain.access.model import TokenKind, TokenStatus

__all__ = [
    "Abilities",
    "Candidate",
    "ListEntry",
    "ListPlace",
    "ListState",
    "Pool",
    "Wanted",
    "digest_of",
    "pack",
    "unpack",
]


class ListState(StrEnum):
    """Where a station's list stands."""

    UNKNOWN = "unknown"
    """Not looked at yet: it has not been connected, or not said what it is set to."""
    IN_STEP = "in_step"
    BEHIND = "behind"
    """It is away, or its turn is to come."""
    FAILED = "failed"
    """The station did not take it; it is tried again later."""
    UNSUPPORTED = "unsupported"
    """The station has no such list, or one that is switched off."""
    NOT_KEPT = "not_kept"
    """A rule says that it is not to be kept."""


class ListEntry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A token as a station is to know it."""

    uid: str
    kind: TokenKind
    status: TokenStatus
    group_id: str | None = None
    valid_until: datetime | None = None


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A token that may stand on lists."""

    entry: ListEntry
    folded_uid: str


class Pool(msgspec.Struct, frozen=True):
    """The tokens of a tenant that may stand on lists, in the order in which they matter."""

    good: Mapping[str, Candidate]
    """Those that may charge, by folded uid."""
    blocked: tuple[Candidate, ...] = ()
    too_long: int = 0
    """How many may charge and are too long for the protocol."""


class Abilities(msgspec.Struct, frozen=True):
    """What a station says of its list; `reason` tells why it has none."""

    most_entries: int = 0
    items_per_message: int = 0
    tells_blocked: bool = False
    """Unknown tokens may charge while it is offline, so that it has to know the blocked ones."""
    longest_uid: int = 36
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether a list can be sent."""
        return not self.reason


class Wanted(msgspec.Struct, frozen=True):
    """What a station's list should be, in the order of folded uids, and how many tokens had no room."""

    entries: tuple[ListEntry, ...]
    left_out: int
    digest: bytes


class ListPlace(msgspec.Struct, frozen=True):
    """A station with what is known of its list. `version` and `digest` are what it holds, as far as is known."""

    station_id: int
    tenant_id: int
    identity: str
    ocpp_version: str
    site_id: UUID | None
    kept: bool
    led_by_other: bool
    state: ListState
    detail: str
    version: int
    digest: bytes | None
    attempts: int
    next_at: datetime | None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[ListEntry, ...]).decode


def pack(entries: Sequence[ListEntry]) -> bytes:
    """Put entries into the form in which they are kept."""
    return _encode(entries)


def unpack(content: str | bytes) -> tuple[ListEntry, ...]:
    """Read entries as they are kept."""
    return _decode(content)


def digest_of(entries: Sequence[ListEntry]) -> bytes:
    """Name a list by its content."""
    return hashlib.sha256(pack(entries)).digest()
