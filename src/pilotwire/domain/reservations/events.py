"""What others are told of reservations."""

from datetime import datetime
from uuid import UUID

import msgspec

__all__ = ["ReservationChanged"]


class ReservationChanged(msgspec.Struct, frozen=True):
    """A reservation was made, or came a step further."""

    tenant_id: int
    id: int
    station_id: int
    identity: str
    evse_no: int | None
    state: str
    detail: str
    from_at: datetime
    until_at: datetime
    session_id: UUID | None
    at: datetime
