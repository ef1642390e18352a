"""What the stations' path keeps about relays."""

from datetime import datetime
from uuid import UUID

import msgspec

__all__ = ["RelayMessageKept", "RelayMessageOver"]


class RelayMessageKept(msgspec.Struct, frozen=True, gc=False):
    """A station's message that the other back end is to be told; on disk before its station has an answer."""

    id: UUID
    station_id: int
    message_id: str
    action: str
    frame: str
    received_at: datetime


class RelayMessageOver(msgspec.Struct, frozen=True, gc=False):
    """The other back end has been told, or is not told any more."""

    id: UUID
