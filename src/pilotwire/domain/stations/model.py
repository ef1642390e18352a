"""What a station is to us."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

__all__ = [
    "Admission",
    "ConnectorKey",
    "ConnectorState",
    "ConnectorStatus",
    "StationRecord",
    "summarise_status",
]


class Admission(StrEnum):
    """What the next boot is answered."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REJECTED = "rejected"


class ConnectorStatus(StrEnum):
    """The states of a connector in all versions; 2.x calls every state between plug and unplug 'occupied'."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EV = "suspended_ev"
    SUSPENDED_EVSE = "suspended_evse"
    FINISHING = "finishing"
    OCCUPIED = "occupied"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


ConnectorKey = tuple[int, int]
"""EVSE number and connector number. Connector n of a 1.6 station is connector 1 of EVSE n; (0, 0) is the station."""


class ConnectorState(msgspec.Struct, frozen=True, gc=False):
    """What a connector last said of itself."""

    status: ConnectorStatus
    error_code: str
    status_at: datetime


class StationRecord(msgspec.Struct, frozen=True):
    """A station as the stations' edge knows it: enough to let it in."""

    id: int
    tenant_id: int
    identity: str
    admission: Admission
    secret_digest: bytes
    next_secret_digest: bytes | None
    minimum_security_profile: int
    site_id: UUID | None
    vendor: str
    model: str
    firmware_version: str
    quirk_switches: dict[str, bool]
    enrolled: bool
    serial_number: str = ""


_URGENCY = (
    ConnectorStatus.FAULTED,
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE,
    ConnectorStatus.FINISHING,
    ConnectorStatus.PREPARING,
    ConnectorStatus.OCCUPIED,
    ConnectorStatus.RESERVED,
    ConnectorStatus.AVAILABLE,
    ConnectorStatus.UNAVAILABLE,
)


_BY_URGENCY = tuple(status.value for status in _URGENCY)


def summarise_status(connected: bool, statuses: list[str]) -> str:
    """Give one word for a whole station: the connector that needs attention most, or `offline`, or `unknown`."""
    if not connected:
        return "offline"
    if len(statuses) == 1 and statuses[0] in _BY_URGENCY:
        return str(statuses[0])
    known = set(statuses)
    return next((status for status in _BY_URGENCY if status in known), "unknown")
