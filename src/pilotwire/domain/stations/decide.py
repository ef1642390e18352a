"""What a station's messages about itself lead to: functions of what is in memory and the message."""

import random
import re
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pilotwire.domain.stations.answers import ACKNOWLEDGED, Acknowledged, BootAnswer, ReportAnswer
from pilotwire.domain.stations.messages import (
    ConnectorStatusReported,
    FirmwareProgressed,
    LogProgressed,
    ReportReceived,
    SecurityEventReported,
    StationBooted,
)
from pilotwire.domain.stations.model import Admission, ConnectorState, ConnectorStatus
from pilotwire.domain.stations.records import (
    ConnectorStatusChanged,
    ReportKept,
    SecurityEventKept,
    StationBootKept,
    StationProgressKept,
)
from pilotwire.domain.stations.view import StationView

__all__ = [
    "BootPolicy",
    "decide_boot",
    "decide_charging_state",
    "decide_progress",
    "decide_report",
    "decide_security_event",
    "decide_status",
]

_PLUGGED = frozenset(
    {
        ConnectorStatus.OCCUPIED,
        ConnectorStatus.PREPARING,
        ConnectorStatus.CHARGING,
        ConnectorStatus.SUSPENDED_EV,
        ConnectorStatus.SUSPENDED_EVSE,
        ConnectorStatus.FINISHING,
    }
)
_CHARGING_STATES = {
    "Charging": ConnectorStatus.CHARGING,
    "EVConnected": ConnectorStatus.PREPARING,
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
}

# A state that is older than the known one by less than this is a late report; by more, the station's clock was set.
_LATE = timedelta(hours=24)


class BootPolicy(msgspec.Struct, frozen=True):
    """The intervals that a boot is answered. Units: s.

    `spread` is the part of the heartbeat interval by which stations differ, so that a network that booted at
    once does not send its heartbeats at once for ever.
    """

    heartbeat_interval_s: int = 300
    retry_interval_s: int = 30
    rejected_interval_s: int = 600
    spread: float = 0.1


def decide_boot(
    view: StationView, message: StationBooted, now: datetime, policy: BootPolicy
) -> tuple[BootAnswer, list[Any]]:
    """Answer a boot by the station's admission and keep what it says of itself. Spec: 1.6 4.2; 2.0.1 B01-B03."""
    record = view.record
    admission = record.admission
    if admission is Admission.ACCEPTED:
        base = policy.heartbeat_interval_s
        interval_s = max(1, round(base * (1 + random.uniform(-policy.spread, policy.spread))))  # noqa: S311
        view.booted_at = now
    elif admission is Admission.PENDING:
        interval_s = policy.retry_interval_s
    else:
        interval_s = policy.rejected_interval_s
    view.vendor, view.model, view.firmware_version = message.vendor, message.model, message.firmware_version
    kept = StationBootKept(
        record.tenant_id, record.id, record.identity, message.vendor, message.model, message.serial_number,
        message.firmware_version, message.iccid, message.imsi, message.reason, now, admission.value,
    )  # fmt: skip
    return BootAnswer(admission, now, interval_s), [kept]


def decide_status(
    view: StationView, message: ConnectorStatusReported, now: datetime
) -> tuple[Acknowledged, list[Any]]:
    """Keep a connector's state; a late report of an older state is history only. Spec: 1.6 4.9; 2.0.1 G01."""
    key = (message.evse_no, message.connector_no)
    status_at = message.status_at or now
    known = view.connectors.get(key)
    status = message.status
    if status is ConnectorStatus.OCCUPIED and known is not None and known.status in _PLUGGED:
        status = known.status  # what its session says is more exact, and stays
    # A state from the future came from a clock that was ahead; it must not outlast the setting of that clock.
    current = known is None or known.status_at > now or not timedelta(0) < known.status_at - status_at < _LATE
    if current:
        view.connectors[key] = ConnectorState(status, message.error_code, min(status_at, now))
    record = view.record
    return ACKNOWLEDGED, [
        ConnectorStatusChanged(
            record.tenant_id,
            record.id,
            record.identity,
            message.evse_no,
            message.connector_no,
            status.value,
            message.reported_status,
            message.error_code,
            message.info,
            status_at,
            now,
            current,
        )
    ]


def decide_charging_state(
    view: StationView,
    evse_no: int | None,
    connector_no: int | None,
    state: str | None,
    at: datetime,
    now: datetime,
) -> list[Any]:
    """Say more exactly what an occupied connector does, from the state of its session. Spec: 2.0.1 3.11, E02.

    2.x stations report every state between plug and unplug as 'Occupied'; 1.6 stations report the states themselves.
    `state` is the session's charging state, None when the session has ended.
    """
    if connector_no is not None:  # the usual case: nothing to be said that is not known
        only = view.connectors.get((evse_no or 0, connector_no))
        if only is not None and state is not None and only.status is _CHARGING_STATES.get(state):
            return []
    records: list[Any] = []
    record = view.record
    status = (
        ConnectorStatus.OCCUPIED if state is None else _CHARGING_STATES.get(state, ConnectorStatus.OCCUPIED)
    )
    for (evse, connector), known in view.connectors.items():
        if evse != evse_no or connector_no not in (None, connector) or known.status not in _PLUGGED:
            continue
        if known.status is status:
            continue
        view.connectors[evse, connector] = ConnectorState(status, known.error_code, at)
        records.append(
            ConnectorStatusChanged(
                record.tenant_id,
                record.id,
                record.identity,
                evse,
                connector,
                status.value,
                "Occupied",
                known.error_code,
                "",
                at,
                now,
                current=True,
            )
        )
    return records


def decide_security_event(
    view: StationView, message: SecurityEventReported, now: datetime
) -> tuple[Acknowledged, list[Any]]:
    """Keep a security event. Spec: 2.0.1 A04."""
    record = view.record
    return ACKNOWLEDGED, [
        SecurityEventKept(
            record.tenant_id,
            record.id,
            record.identity,
            message.type,
            message.at,
            now,
            message.technical_info,
        )
    ]


def decide_progress(
    view: StationView, message: FirmwareProgressed | LogProgressed
) -> tuple[Acknowledged, list[Any]]:
    """Keep how far an update or upload has come. Spec: 2.0.1 L01, N01."""
    record = view.record
    subject = "firmware" if isinstance(message, FirmwareProgressed) else "log"
    return ACKNOWLEDGED, [
        StationProgressKept(
            record.tenant_id, record.id, record.identity, subject, message.status, message.request_id
        )
    ]


def decide_report(
    view: StationView, message: ReportReceived, now: datetime
) -> tuple[ReportAnswer, list[Any]]:
    """Keep a report as it came."""
    record = view.record
    return ReportAnswer(message.kind), [
        ReportKept(
            record.tenant_id,
            record.id,
            record.identity,
            message.kind,
            now,
            _storable(message.content),
            message.meaning,
        )
    ]


# jsonb takes no number with more than 16383 digits behind the point; to Python such a number is zero.
_TINY = re.compile(rb"[eE]-\d{3}")


def _storable(content: bytes) -> str:
    """Give JSON that the database takes: what had to be repaired to be read is kept as a text."""
    try:
        plain = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        plain = {"unreadable": content.decode("utf-8", "replace").replace("\0", "")}
    else:
        if b"\\u0000" not in content and _TINY.search(content) is None:
            return content.decode()
        plain = _without_nul(plain)
    return msgspec.json.encode(plain).decode()


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {key.replace("\0", ""): _without_nul(each) for key, each in value.items()}
    return [_without_nul(each) for each in value] if isinstance(value, list) else value
