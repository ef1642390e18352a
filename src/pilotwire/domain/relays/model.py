"""Where a station's frames also go, and whose answers it gets."""

from enum import StrEnum

import msgspec

__all__ = ["Authority", "Relay", "SharedTransaction"]


class Authority(StrEnum):
    """Whose answers the station gets."""

    PILOTWIRE = "pilotwire"
    """Ours; the other back end only listens, and its calls are refused."""
    OTHER = "other"
    """The other back end's, and its calls reach the station; ours while it is away."""


class Relay(msgspec.Struct, frozen=True):
    """One station's relay. `url` is the other back end's, without the identity."""

    station_id: int
    identity: str
    url: str
    password: bytes
    authority: Authority


class SharedTransaction(msgspec.Struct, frozen=True):
    """The numbers of one 1.6 transaction: as the station knows it, as we do, and as the other back end does."""

    at_station: int
    ours: int
    theirs: int
