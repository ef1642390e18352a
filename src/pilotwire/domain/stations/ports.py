"""What the domain asks of the stations' edge, and what the edge is told about changes."""

from datetime import datetime
from typing import Protocol

import msgspec

from pilotwire.core.errors import Conflict, Invalid, PilotwireError
from pilotwire.domain.stations.model import StationRecord

__all__ = [
    "CallAnswer",
    "ConnectionLost",
    "InvalidPayload",
    "LinkInfo",
    "NoAnswer",
    "NotConnected",
    "StationCaller",
    "StationChanged",
    "StationConnected",
    "StationRemoved",
]


class NotConnected(Conflict):
    """The station is not connected."""

    code = "station_not_connected"


class ConnectionLost(NotConnected):
    """The station disconnected before it answered; it may still have done what it was asked."""

    code = "connection_lost"


class InvalidPayload(Invalid):
    """The payload does not fit the action in the station's OCPP version."""

    code = "invalid_payload"


class NoAnswer(PilotwireError):
    """The station did not answer in time; it may still have done what it was asked."""

    code = "station_no_answer"


class CallAnswer(msgspec.Struct, frozen=True):
    """A station's answer: a payload, or its error code with a description."""

    payload: bytes | None
    error_code: str = ""
    error_description: str = ""
    repairs: tuple[str, ...] = ()
    """What had to be repaired before the answer could be read."""


class LinkInfo(msgspec.Struct, frozen=True):
    """A live connection: its OCPP version, since when, last heard, and from where."""

    ocpp_version: str
    connected_at: datetime
    last_seen_at: datetime
    remote_address: str


class StationCaller(Protocol):
    """Talks to connected stations."""

    async def call(self, station_id: int, action: str, payload: bytes, timeout_s: float = 30) -> CallAnswer:
        """Send a CALL and wait for its answer.

        Raises: NotConnected, InvalidPayload (nothing is sent), NoAnswer.
        """
        ...

    async def renew_secret(self, station_id: int) -> bool:
        """Give a station a new secret; the old one stays good until the new one was used. Whether it was taken.

        Raises: NotConnected.
        """
        ...

    def link(self, station_id: int) -> LinkInfo | None:
        """Tell of a station's live connection, None when there is none."""
        ...


class StationChanged(msgspec.Struct, frozen=True):
    """Somebody added or changed a station: its credentials and admission are now these."""

    record: StationRecord


class StationRemoved(msgspec.Struct, frozen=True):
    """Somebody removed a station."""

    station_id: int
    identity: str


class StationConnected(msgspec.Struct, frozen=True):
    """A station has a new connection."""

    tenant_id: int
    station_id: int
    identity: str
    ocpp_version: str
    epoch: int
    at: datetime
    remote_address: str
    security_profile: int = 0
    """1 to 3 by how it came in; 0 when that is not known."""
    certificate_sha256: str = ""
    """The certificate that it showed, in profile 3."""
