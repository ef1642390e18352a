"""OCPP 2.x: firmware, logs, security, and every report that is kept as it came.

What is kept but not yet acted upon gets the answer that says so honestly where its version has one:
a status is not known, a tax number is not confirmed.
"""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from pilotwire.domain.certificates.messages import CertificateAnswer, CertificateRequested
from pilotwire.domain.certificates.status import (
    CertificateStatusAnswer,
    CertificateStatusAsked,
    Revocation,
    StatusQuery,
    StatusSource,
)
from pilotwire.domain.configuration.model import ReportPage, Source
from pilotwire.domain.stations.answers import ReportAnswer
from pilotwire.domain.stations.messages import (
    FirmwareProgressed,
    LogProgressed,
    ReportReceived,
    ReservationTold,
    SecurityEventReported,
)
from pilotwire.ocpp.codec.inbound import Inbound, nothing, number, number_or_none, or_blank, trimmed
from pilotwire.ocpp.codec.v2 import monitoring
from pilotwire.ocpp.codec.v2.device_model import reported_by, told_by
from pilotwire.ocpp.codec.v2.wire import (
    authorization,
    certificates,
    diagnostics,
    provisioning,
    security,
    smart_charging,
)
from pilotwire.ocpp.codec.v2.wire.types import StatusInfoType

__all__ = ["INBOUND", "KEPT_AS_REPORTS"]

_NOTHING = b"{}"
# A moment in the past: the station asks again when it next needs to know. GetCertificateChainStatus requires one.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# 2.0.1 takes so many characters, 2.1 more; answers of responders have two thousand.
_LONGEST_OCSP = 5500
_REVOCATIONS = {
    Revocation.GOOD: "Good",
    Revocation.REVOKED: "Revoked",
    Revocation.UNKNOWN: "Unknown",
    Revocation.UNPROVED: "Failed",
    Revocation.FAILED: "Failed",
}


def _firmware(request: Any, notes: list[str]) -> FirmwareProgressed:
    return FirmwareProgressed(request.status, number_or_none(request.requestId, notes))


def _log(request: Any, notes: list[str]) -> LogProgressed:
    return LogProgressed(request.status, number_or_none(request.requestId, notes))


def _security(request: Any, notes: list[str]) -> SecurityEventReported:
    del notes
    return SecurityEventReported(request.type, request.timestamp, trimmed(request.techInfo))


_RESERVATION = {"Expired": "expired", "Removed": "removed", "NoTransaction": "no_transaction"}


def _reservation(request: Any, notes: list[str]) -> ReportReceived:
    del notes
    meaning = ReservationTold(
        number("reservationId", request.reservationId), _RESERVATION[request.reservationUpdateStatus]
    )
    return ReportReceived("ReservationStatusUpdate", b"", meaning)


def _report(kind: str) -> Callable[[Any, list[str]], ReportReceived]:
    message = ReportReceived(kind, b"")

    def read(request: Any, notes: list[str]) -> ReportReceived:
        del request, notes
        return message

    return read


def _variables(request: provisioning.NotifyReportRequest, notes: list[str]) -> ReportReceived:
    del notes
    entries = () if request.reportData is UNSET else request.reportData
    meaning = ReportPage(
        Source.REPORT,
        tuple(reported for entry in entries for reported in reported_by(entry)),
        number("requestId", request.requestId),
        number("seqNo", request.seqNo),
        last=request.tbc is not True,
    )
    return ReportReceived("NotifyReport", b"", meaning)


def _events(request: diagnostics.NotifyEventRequest, notes: list[str]) -> ReportReceived:
    del notes
    meaning = ReportPage(Source.EVENT, tuple(told_by(event) for event in request.eventData))
    return ReportReceived("NotifyEvent", b"", meaning)


def _csr(request: security.SignCertificateRequest, notes: list[str]) -> CertificateRequested:
    # Spec: 2.0.1 A02: without a type the certificate is the one that the station shows to this system.
    purpose = "v2g" if or_blank(request.certificateType).startswith("V2G") else "charging_station"
    return CertificateRequested(purpose, request.csr, number_or_none(request.requestId, notes))


def _csr_answer(answer: CertificateAnswer, request: Any) -> Any:
    del request
    if answer.accepted:
        return security.SignCertificateResponse(status="Accepted")
    info = StatusInfoType(reasonCode="InvalidCSR", additionalInfo=answer.reason[:500])
    return security.SignCertificateResponse(status="Rejected", statusInfo=info)


def _contract_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    return certificates.Get15118EVCertificateResponse(status="Failed", exiResponse="")


def _ocsp_asked(
    request: certificates.GetCertificateStatusRequest, notes: list[str]
) -> CertificateStatusAsked:
    del notes
    data = request.ocspRequestData
    return CertificateStatusAsked((_query(data, (data.responderURL,)),))


def _query(data: Any, urls: tuple[str, ...], source: StatusSource = StatusSource.OCSP) -> StatusQuery:
    return StatusQuery(
        data.hashAlgorithm, data.issuerNameHash, data.issuerKeyHash, data.serialNumber, urls, source
    )


def _ocsp_answer(answer: CertificateStatusAnswer, request: Any) -> Any:
    del request
    (told,) = answer.told
    result = base64.b64encode(told.ocsp_der).decode()
    reason = told.reason
    if len(result) > _LONGEST_OCSP:
        reason = f"the responder's answer has {len(result)} characters, and OCPP 2.0.1 takes {_LONGEST_OCSP}"
    if reason or not result:
        info = StatusInfoType(reasonCode="OcspFailed", additionalInfo=reason[:500] or "no answer")
        return certificates.GetCertificateStatusResponse(status="Failed", statusInfo=info)
    return certificates.GetCertificateStatusResponse(status="Accepted", ocspResult=result)


def _chain_asked(
    request: certificates.GetCertificateChainStatusRequest, notes: list[str]
) -> CertificateStatusAsked:
    del notes
    return CertificateStatusAsked(
        tuple(
            _query(each.certificateHashData, each.urls, StatusSource(each.source.lower()))
            for each in request.certificateStatusRequests
        )
    )


def _chain_answer(
    answer: CertificateStatusAnswer, request: certificates.GetCertificateChainStatusRequest
) -> Any:
    return certificates.GetCertificateChainStatusResponse(
        certificateStatus=tuple(
            certificates.CertificateStatusType(
                certificateHashData=asked.certificateHashData,
                source=asked.source,
                status=_REVOCATIONS[told.revocation],  # type: ignore[arg-type]
                nextUpdate=told.next_update or _LONG_AGO,
            )
            for asked, told in zip(request.certificateStatusRequests, answer.told, strict=True)
        )
    )


def _dynamic_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    return smart_charging.PullDynamicScheduleUpdateResponse(status="Rejected")


def _stream_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    return diagnostics.OpenPeriodicEventStreamResponse(status="Accepted")


def _vat_answer(answer: ReportAnswer, request: authorization.VatNumberValidationRequest) -> Any:
    del answer
    return authorization.VatNumberValidationResponse(
        status="Rejected",
        vatNumber=request.vatNumber,
        evseId=UNSET if request.evseId is UNSET else request.evseId,
    )


_PLAIN = (
    "BatterySwap", "ClosePeriodicEventStream",
    "NotifyCustomerInformation", "NotifyDERAlarm", "NotifyDERStartStop", "NotifyDisplayMessages", "NotifyEvent",
    "NotifyMonitoringReport", "NotifyPeriodicEventStream", "NotifyPriorityCharging", "NotifyReport",
    "NotifySettlement", "PublishFirmwareStatusNotification", "ReportDERControl",
)  # fmt: skip
_SPECIAL = {
    "Get15118EVCertificate": _contract_answer,
    "PullDynamicScheduleUpdate": _dynamic_answer,
    "OpenPeriodicEventStream": _stream_answer,
    "VatNumberValidation": _vat_answer,
}
KEPT_AS_REPORTS = (*_PLAIN, *_SPECIAL, "ReservationStatusUpdate")
"""The actions that are kept and answered by the rules, and acted upon by later capabilities."""

INBOUND = {
    "FirmwareStatusNotification": Inbound(_firmware, nothing),
    "LogStatusNotification": Inbound(_log, nothing),
    "SecurityEventNotification": Inbound(_security, nothing),
    "SignCertificate": Inbound(_csr, _csr_answer),
    "GetCertificateStatus": Inbound(_ocsp_asked, _ocsp_answer),
    "GetCertificateChainStatus": Inbound(_chain_asked, _chain_answer),
    "ReservationStatusUpdate": Inbound(_reservation, nothing),
    **{action: Inbound(_report(action), nothing) for action in _PLAIN},
    "NotifyReport": Inbound(_variables, nothing),
    "NotifyEvent": Inbound(_events, nothing),
    "NotifyMonitoringReport": Inbound(monitoring.monitors_told, nothing),
    "NotifyCustomerInformation": Inbound(monitoring.customer_told, nothing),
    "NotifyDisplayMessages": Inbound(monitoring.messages_told, nothing),
    "PublishFirmwareStatusNotification": Inbound(monitoring.firmware_told, nothing),
    **{action: Inbound(_report(action), answer) for action, answer in _SPECIAL.items()},
}
