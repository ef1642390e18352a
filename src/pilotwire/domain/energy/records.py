"""What is kept of what stations say of energy: one Struct per effect on a table; the sinks write them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

__all__ = ["ChargingNeedsKept", "ExternalLimitCleared", "ExternalLimitKept"]


class ExternalLimitKept(msgspec.Struct, frozen=True):
    """Somebody else limits a station or one of its EVSEs (`evse_no` 0: all)."""

    tenant_id: int
    station_id: int
    identity: str
    evse_no: int
    source: str
    grid_critical: bool
    received_at: datetime
    schedules: list[dict[str, Any]]


class ExternalLimitCleared(msgspec.Struct, frozen=True):
    """The limit of somebody else is gone."""

    tenant_id: int
    station_id: int
    identity: str
    evse_no: int
    source: str


class ChargingNeedsKept(msgspec.Struct, frozen=True):
    """What the car of a session has said that it wants."""

    tenant_id: int
    station_id: int
    identity: str
    session_id: UUID
    received_at: datetime
    energy_wh: float | None
    departure_at: datetime | None
    details: dict[str, Any]
