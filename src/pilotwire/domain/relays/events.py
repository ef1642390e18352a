"""What others are told of relays."""

from datetime import datetime

import msgspec

from pilotwire.domain.relays.model import Relay

__all__ = ["RelayChanged", "RelayLinkChanged"]


class RelayChanged(msgspec.Struct, frozen=True):
    """Somebody set, changed or (None) removed a station's relay."""

    station_id: int
    relay: Relay | None


class RelayLinkChanged(msgspec.Struct, frozen=True):
    """The connection to the other back end was made or lost."""

    tenant_id: int
    station_id: int
    identity: str
    connected: bool
    detail: str
    at: datetime
