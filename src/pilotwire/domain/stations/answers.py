"""What a station is told; the codec spells it in the station's version."""

from datetime import datetime

import msgspec

from pilotwire.domain.stations.model import Admission

__all__ = ["ACKNOWLEDGED", "Acknowledged", "BootAnswer", "DataAnswer", "ReportAnswer", "TimeAnswer"]


class Acknowledged(msgspec.Struct, frozen=True, gc=False):
    """Received and kept; there is nothing to say."""


ACKNOWLEDGED = Acknowledged()


class BootAnswer(msgspec.Struct, frozen=True, gc=False):
    """Whether the station may work, the present time, and its heartbeat (or retry) interval."""

    admission: Admission
    now: datetime
    interval_s: int


class TimeAnswer(msgspec.Struct, frozen=True, gc=False):
    """The present time."""

    now: datetime


class DataAnswer(msgspec.Struct, frozen=True, gc=False):
    """The fate of a vendor's own message: `accepted`, `rejected`, `unknown_vendor` or `unknown_message`."""

    status: str
    data: str | None = None


class ReportAnswer(msgspec.Struct, frozen=True, gc=False):
    """The answer to a report is its version's own for a request that is kept but not acted upon.

    `planned` says to a car's needs that a charging schedule follows.
    """

    kind: str
    planned: bool = False
