"""What a reservation is, and where it stands."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

__all__ = ["OPEN", "Policy", "Reservation", "ReservationState"]


class ReservationState(StrEnum):
    """Where a reservation stands."""

    PLANNED = "planned"
    """Its time has not come; it is kept here."""
    PLACING = "placing"
    """Its station has been told, or is away and will be."""
    PLACED = "placed"
    """Its station keeps it."""
    HELD = "held"
    """Its station does not keep it (`detail` says why); it is kept here and tried again where that can help."""
    USED = "used"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"


OPEN = frozenset(
    {ReservationState.PLANNED, ReservationState.PLACING, ReservationState.PLACED, ReservationState.HELD}
)


class Policy(msgspec.Struct, frozen=True):
    """How reservations are handled. Units: s."""

    lead_s: int = 120
    """How long before its begin a station is told: it keeps the place from that moment on."""
    grace_s: int = 900
    """How long after its begin the driver is waited for."""
    retry_s: int = 60


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation as it stands."""

    id: int
    tenant_id: int
    station_id: int
    identity: str
    ocpp_version: str
    evse_no: int | None
    connector_type: str | None
    token_uid: str | None
    group_id: str | None
    from_at: datetime
    until_at: datetime
    grace_s: int
    state: ReservationState
    detail: str
    attempts: int
    task_id: UUID | None
    next_at: datetime
    placed_evse_no: int | None

    @property
    def no_show_at(self) -> datetime:
        """When its driver is no longer waited for."""
        return min(self.from_at + timedelta(seconds=self.grace_s), self.until_at)
