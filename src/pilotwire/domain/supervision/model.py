"""Rules of watching over sessions, and the case that they judge."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from pilotwire.domain.sessions.model import SessionFacts

__all__ = ["Ask", "Case", "Cause", "NewerSession", "Report", "Rules", "Said", "Settle", "TargetState"]


@dataclass(frozen=True, slots=True)
class Rules:
    """When a session is looked at, and when it is ended. Units: s."""

    silent_after_s: int = 1_800
    """No data for so long, while the connector is not in use."""
    free_after_s: int = 300
    """The connector has been free for so long."""
    patience_s: int = 3_600
    """How long a stop is waited for once it is missed, if the station does not say that all is over."""
    gone_after_s: int = 86_400
    """A station that has been away for so long is not waited for."""
    longest_s: int = 259_200
    full_after_s: int = 600
    start_missing_after_s: int = 300
    settle: bool = True
    """Whether rules end sessions; without it they only tell of them."""


class Cause(StrEnum):
    """Why a session is taken for over."""

    SUPERSEDED = "superseded"
    CONNECTOR_FREE = "connector_free"
    STATION_GONE = "station_gone"
    SILENT = "silent"
    OVER_LONG = "over_long"
    STATION_SAYS_OVER = "station_says_over"


class Said(StrEnum):
    """What a station said when it was asked for a session."""

    ONGOING = "ongoing"
    OVER = "over"
    QUEUED = "queued"
    """Over, and its messages are still to come."""
    NOTHING = "nothing"
    """It cannot tell, or did not answer."""


class TargetState(StrEnum):
    """Where the target of a session stands."""

    WAITING = "waiting"
    STOPPING = "stopping"
    REACHED = "reached"
    MISSED = "missed"
    OVER = "over"
    """The session ended before."""
    CANCELLED = "cancelled"


class NewerSession(msgspec.Struct, frozen=True):
    """The next session on the same EVSE."""

    received_at: datetime
    meter_start_wh: Decimal | None


class Case(msgspec.Struct, frozen=True):
    """All that is known about whether a session goes on. Moments are by our clock, except those in `facts` and
    `status_at`."""

    facts: SessionFacts
    first_received_at: datetime
    last_received_at: datetime
    connected: bool
    away_since: datetime | None
    status: str | None = None
    status_at: datetime | None = None
    status_received_at: datetime | None = None
    newer: NewerSession | None = None
    asked_at: datetime | None = None
    said: Said | None = None
    reported: Cause | None = None


class Ask(msgspec.Struct, frozen=True):
    """Ask the station."""

    cause: Cause


class Settle(msgspec.Struct, frozen=True):
    """End the session."""

    cause: Cause
    at: datetime | None = None
    meter_end_wh: Decimal | None = None


class Report(msgspec.Struct, frozen=True):
    """Tell people."""

    cause: Cause
