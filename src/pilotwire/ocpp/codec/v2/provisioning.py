"""OCPP 2.x, blocks B, G and P: boot, heartbeat, status, data transfer."""

from typing import Any

import msgspec
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
    trimmed,
)
from pilotwire.ocpp.codec.v2.wire.availability import StatusNotificationRequest
from pilotwire.ocpp.codec.v2.wire.data_transfer import DataTransferRequest, DataTransferResponse
from pilotwire.ocpp.codec.v2.wire.provisioning import BootNotificationRequest, BootNotificationResponse

__all__ = ["INBOUND"]

_STATUS = {
    "Available": ConnectorStatus.AVAILABLE,
    "Occupied": ConnectorStatus.OCCUPIED,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
}
_HEARTBEAT = HeartbeatReceived()


def _booted(request: BootNotificationRequest, notes: list[str]) -> StationBooted:
    station = request.chargingStation
    modem = station.modem
    if not station.vendorName:
        notes.append("vendor_empty")
    return StationBooted(
        vendor=trimmed(station.vendorName),
        model=trimmed(station.model),
        serial_number=trimmed(station.serialNumber),
        firmware_version=trimmed(station.firmwareVersion),
        iccid="" if modem is UNSET else trimmed(modem.iccid),
        imsi="" if modem is UNSET else trimmed(modem.imsi),
        reason=request.reason,
    )


def _boot_answer(answer: BootAnswer, request: Any) -> BootNotificationResponse:
    del request
    return BootNotificationResponse(
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


def _status(request: StatusNotificationRequest, notes: list[str]) -> ConnectorStatusReported:
    del notes
    return ConnectorStatusReported(
        evse_no=number("evseId", request.evseId),
        connector_no=number("connectorId", request.connectorId),
        status=_STATUS[request.connectorStatus],
        reported_status=request.connectorStatus,
        status_at=request.timestamp,
    )


def _transferred(request: DataTransferRequest, notes: list[str]) -> DataTransferred:
    del notes
    data = request.data
    text = data if isinstance(data, str) else None if data is UNSET else msgspec.json.encode(data).decode()
    return DataTransferred(request.vendorId, or_blank(request.messageId), text)


def _data(answer: DataAnswer, request: Any) -> DataTransferResponse:
    del request
    return DataTransferResponse(
        status=DATA_STATUS[answer.status],  # type: ignore[arg-type]
        data=UNSET if answer.data is None else answer.data,
    )


INBOUND = {
    "BootNotification": Inbound(_booted, _boot_answer),
    "Heartbeat": Inbound(_alive, _time),
    "StatusNotification": Inbound(_status, nothing),
    "DataTransfer": Inbound(_transferred, _data),
}
