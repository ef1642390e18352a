"""What is kept of stations: one Struct per effect on a table; the repository's sinks write them."""

from datetime import datetime
from typing import Any

import msgspec

__all__ = [
    "ConnectorStatusChanged",
    "DeviationsCounted",
    "FrameKept",
    "PresenceSeen",
    "ReportKept",
    "SecurityEventKept",
    "StationBootKept",
    "StationDisconnected",
    "StationProgressKept",
]


class FrameKept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One exchange with a station: a call and its answer, as they went over the wire.

    Line breaks and tabs between the parts of the JSON are blanks here; secrets are taken out. The fields are in the
    order in which the sink copies them.
    """

    tenant_id: int
    station_id: int
    received_at: datetime
    answered_at: datetime | None
    direction: int
    message_id: str
    action: str
    request: str
    response: str | None
    deviations: str | None = None

    STATION_CALLED = 0
    WE_CALLED = 1


class StationBootKept(msgspec.Struct, frozen=True, gc=False):
    """What a station said of its make when it booted."""

    tenant_id: int
    station_id: int
    identity: str
    vendor: str
    model: str
    serial_number: str
    firmware_version: str
    iccid: str
    imsi: str
    reason: str
    booted_at: datetime
    admission: str


class ConnectorStatusChanged(msgspec.Struct, frozen=True, gc=False):
    """A connector's state as reported; `current` is false for a late report of an older state."""

    tenant_id: int
    station_id: int
    identity: str
    evse_no: int
    connector_no: int
    status: str
    reported_status: str
    error_code: str
    info: str
    status_at: datetime
    received_at: datetime
    current: bool


class SecurityEventKept(msgspec.Struct, frozen=True, gc=False):
    """A security event, from the station or found by us."""

    tenant_id: int
    station_id: int
    identity: str
    type: str
    at: datetime
    received_at: datetime
    technical_info: str


class StationProgressKept(msgspec.Struct, frozen=True, gc=False):
    """The state of a station's firmware update (`subject` = 'firmware') or log upload ('log')."""

    tenant_id: int
    station_id: int
    identity: str
    subject: str
    status: str
    request_id: int | None


class ReportKept(msgspec.Struct, frozen=True, gc=False):
    """A report that is kept as it came; its `meaning` is for those who hear of it, and is not kept."""

    tenant_id: int
    station_id: int
    identity: str
    kind: str
    received_at: datetime
    content: str
    meaning: Any = None


class DeviationsCounted(msgspec.Struct, frozen=True, gc=False):
    """How often a model of station needed a repair since the last count."""

    tenant_id: int
    station_id: int
    vendor: str
    model: str
    code: str
    count: int
    last_at: datetime


class PresenceSeen(msgspec.Struct, frozen=True, gc=False):
    """When a connected station was last heard of."""

    station_id: int
    last_seen_at: datetime


class StationDisconnected(msgspec.Struct, frozen=True, gc=False):
    """The socket of a station is gone; written only when no newer connection exists."""

    tenant_id: int
    station_id: int
    identity: str
    epoch: int
    at: datetime
    reason: str
