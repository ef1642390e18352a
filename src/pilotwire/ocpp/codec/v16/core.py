"""OCPP 1.6: boot, heartbeat, status, data transfer."""

from typing import Any

from msgspec import UNSET

from pilotwire.domain.stations.answers import BootAnswer, DataAnswer, TimeAnswer
from pilotwire.domain.stations.messages import (
    ConnectorStatusReported,
    DataTransferred,
    HeartbeatReceived,
    StationBooted,
)
from pilotwire.domain.stations.model import ConnectorStatus
from pilotwire.ocpp.codec.inbound import (
    ADMISSION,
    DATA_STATUS,
    Inbound,
    current_time,
    nothing,
    number,
    or_blank,
    or_none,
    trimmed,
)
from pilotwire.ocpp.codec.v16.wire import core as wire

__all__ = ["INBOUND"]

_STATUS = {
    "Available": ConnectorStatus.AVAILABLE,
    "Preparing": ConnectorStatus.PREPARING,
    "Charging": ConnectorStatus.CHARGING,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "Finishing": ConnectorStatus.FINISHING,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}
_HEARTBEAT = HeartbeatReceived()


def _booted(request: wire.BootNotificationRequest, notes: list[str]) -> StationBooted:
    if not request.chargePointVendor:
        notes.append("vendor_empty")
    serial = request.chargePointSerialNumber
    return StationBooted(
        vendor=trimmed(request.chargePointVendor),
        model=trimmed(request.chargePointModel),
        # chargeBoxSerialNumber is deprecated (4.2), yet many stations fill only that one.
        serial_number=trimmed(request.chargeBoxSerialNumber if serial is UNSET else serial),
        firmware_version=trimmed(request.firmwareVersion),
        iccid=trimmed(request.iccid),
        imsi=trimmed(request.imsi),
    )


def _boot_answer(answer: BootAnswer, request: Any) -> wire.BootNotificationResponse:
    del request
    return wire.BootNotificationResponse(
        status=ADMISSION[answer.admission],  # type: ignore[arg-type]
        currentTime=answer.now,
        interval=answer.interval_s,
    )


def _alive(request: Any, notes: list[str]) -> HeartbeatReceived:
    del request, notes
    return _HEARTBEAT


def _time(answer: TimeAnswer, request: Any) -> bytes:
    del request
    return current_time(answer.now)


def _status(request: wire.StatusNotificationRequest, notes: list[str]) -> ConnectorStatusReported:
    del notes
    connector_id = number("connectorId", request.connectorId)
    error = request.errorCode
    vendor_error = or_blank(request.vendorErrorCode)
    return ConnectorStatusReported(
        evse_no=max(connector_id, 0),
        connector_no=1 if connector_id > 0 else 0,
        status=_STATUS[request.status],
        reported_status=request.status,
        status_at=or_none(request.timestamp),
        error_code="" if error == "NoError" else error,
        info=" ".join(part for part in (trimmed(request.info), trimmed(vendor_error)) if part),
    )


def _transferred(request: wire.DataTransferRequest, notes: list[str]) -> DataTransferred:
    del notes
    return DataTransferred(request.vendorId, or_blank(request.messageId), or_none(request.data))


def _data(answer: DataAnswer, request: Any) -> wire.DataTransferResponse:
    del request
    return wire.DataTransferResponse(
        status=DATA_STATUS[answer.status],  # type: ignore[arg-type]
        data=UNSET if answer.data is None else answer.data,
    )


INBOUND = {
    "BootNotification": Inbound(_booted, _boot_answer),
    "Heartbeat": Inbound(_alive, _time),
    "StatusNotification": Inbound(_status, nothing),
    "DataTransfer": Inbound(_transferred, _data),
}
