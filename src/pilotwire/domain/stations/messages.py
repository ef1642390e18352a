"""What stations say of themselves, free of any OCPP version.

These are msgspec Structs rather than dataclasses: they are made for every frame, and a frozen Struct is made
several times faster than a frozen dataclass.
"""

from datetime import datetime
from typing import Any

import msgspec

from pilotwire.domain.stations.model import ConnectorStatus

__all__ = [
    "ConnectorStatusReported",
    "DataTransferred",
    "FirmwareProgressed",
    "HeartbeatReceived",
    "LogProgressed",
    "ReportReceived",
    "ReservationTold",
    "SecurityEventReported",
    "StationBooted",
]


class StationBooted(msgspec.Struct, frozen=True):
    """A station has started and says who made it. Spec: OCPP 1.6 4.2; 2.0.1 B01."""

    vendor: str
    model: str
    serial_number: str = ""
    firmware_version: str = ""
    iccid: str = ""
    imsi: str = ""
    reason: str = ""


class HeartbeatReceived(msgspec.Struct, frozen=True, gc=False):
    """A station is alive and asks for the time. Spec: OCPP 1.6 4.6; 2.0.1 G02."""


class ConnectorStatusReported(msgspec.Struct, frozen=True, gc=False):
    """A connector (or with number 0 the whole station) has changed its state. Spec: OCPP 1.6 4.9; 2.0.1 G01."""

    evse_no: int
    connector_no: int
    status: ConnectorStatus
    reported_status: str
    status_at: datetime | None
    error_code: str = ""
    info: str = ""


class SecurityEventReported(msgspec.Struct, frozen=True):
    """Something that matters to security happened at a station. Spec: OCPP 2.0.1 A04."""

    type: str
    at: datetime
    technical_info: str = ""


class FirmwareProgressed(msgspec.Struct, frozen=True):
    """An update of firmware has come one step further. Spec: OCPP 1.6 4.5; 2.0.1 L01."""

    status: str
    request_id: int | None = None


class LogProgressed(msgspec.Struct, frozen=True):
    """An upload of diagnostics or logs has come one step further. Spec: OCPP 1.6 4.4; 2.0.1 N01."""

    status: str
    request_id: int | None = None


class DataTransferred(msgspec.Struct, frozen=True):
    """A vendor's own message. Spec: OCPP 1.6 4.3; 2.0.1 P02."""

    vendor_id: str
    message_id: str
    data: str | None


class ReservationTold(msgspec.Struct, frozen=True):
    """A station says that a reservation has ended there: `expired`, `removed`, `no_transaction`. Spec: 2.0.1 H04."""

    reservation_id: int
    status: str


class ReportReceived(msgspec.Struct, frozen=True):
    """Any other report: kept as it came, under its kind, and answered by the rules of its version."""

    kind: str
    content: bytes
    """The payload as JSON."""
    meaning: Any = None
    """What it says, free of any OCPP version, where something is done about it."""
