"""OCPP 2.x: firmware, logs, security, and every report that is kept as it came.

What is kept but not yet acted upon gets the answer that says so honestly where its version has one:
a certificate is not signed, a status is not known, a tax number is not confirmed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from pilotwire.domain.stations.answers import ReportAnswer
from pilotwire.domain.stations.messages import (
    FirmwareProgressed,
    LogProgressed,
    ReportReceived,
    SecurityEventReported,
)
from pilotwire.ocpp.codec.inbound import Inbound, nothing, or_none, trimmed
from pilotwire.ocpp.codec.v2.wire import authorization, certificates, diagnostics, security, smart_charging

__all__ = ["INBOUND", "KEPT_AS_REPORTS"]

_NOTHING = b"{}"
# A moment in the past: the station asks again when it next needs to know. GetCertificateChainStatus requires one.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _firmware(request: Any, notes: list[str]) -> FirmwareProgressed:
    del notes
    return FirmwareProgressed(request.status, or_none(request.requestId))


def _log(request: Any, notes: list[str]) -> LogProgressed:
    del notes
    return LogProgressed(request.status, or_none(request.requestId))


def _security(request: Any, notes: list[str]) -> SecurityEventReported:
    del notes
    return SecurityEventReported(request.type, request.timestamp, trimmed(request.techInfo))


def _report(kind: str) -> Callable[[Any, list[str]], ReportReceived]:
    message = ReportReceived(kind, b"")

    def read(request: Any, notes: list[str]) -> ReportReceived:
        del request, notes
        return message

    return read


def _csr_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    return security.SignCertificateResponse(status="Rejected")


def _contract_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    return certificates.Get15118EVCertificateResponse(status="Failed", exiResponse="")


def _ocsp_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    return certificates.GetCertificateStatusResponse(status="Failed")


def _chain_answer(answer: ReportAnswer, request: certificates.GetCertificateChainStatusRequest) -> Any:
    del answer
    return certificates.GetCertificateChainStatusResponse(
        certificateStatus=tuple(
            certificates.CertificateStatusType(
                certificateHashData=asked.certificateHashData,
                source=asked.source,
                status="Unknown",
                nextUpdate=_LONG_AGO,
            )
            for asked in request.certificateStatusRequests
        )
    )


def _needs_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    # Spec: K15.FR.03: no schedule is made, and the station goes on by itself.
    return smart_charging.NotifyEVChargingNeedsResponse(status="Rejected")


def _schedule_answer(answer: ReportAnswer, request: Any) -> Any:
    del answer, request
    return smart_charging.NotifyEVChargingScheduleResponse(status="Accepted")


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
    "BatterySwap", "ClearedChargingLimit", "ClosePeriodicEventStream", "NotifyChargingLimit",
    "NotifyCustomerInformation", "NotifyDERAlarm", "NotifyDERStartStop", "NotifyDisplayMessages", "NotifyEvent",
    "NotifyMonitoringReport", "NotifyPeriodicEventStream", "NotifyPriorityCharging", "NotifyReport",
    "NotifySettlement", "PublishFirmwareStatusNotification", "ReportChargingProfiles", "ReportDERControl",
    "ReservationStatusUpdate",
)  # fmt: skip
_SPECIAL = {
    "SignCertificate": _csr_answer,
    "Get15118EVCertificate": _contract_answer,
    "GetCertificateStatus": _ocsp_answer,
    "GetCertificateChainStatus": _chain_answer,
    "NotifyEVChargingNeeds": _needs_answer,
    "NotifyEVChargingSchedule": _schedule_answer,
    "PullDynamicScheduleUpdate": _dynamic_answer,
    "OpenPeriodicEventStream": _stream_answer,
    "VatNumberValidation": _vat_answer,
}
KEPT_AS_REPORTS = (*_PLAIN, *_SPECIAL)
"""The actions that are kept and answered by the rules, and acted upon by later capabilities."""

INBOUND = {
    "FirmwareStatusNotification": Inbound(_firmware, nothing),
    "LogStatusNotification": Inbound(_log, nothing),
    "SecurityEventNotification": Inbound(_security, nothing),
    **{action: Inbound(_report(action), nothing) for action in _PLAIN},
    **{action: Inbound(_report(action), answer) for action, answer in _SPECIAL.items()},
}
