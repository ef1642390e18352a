"""OCPP 1.6: firmware, diagnostics, logs and security (with the security whitepaper)."""

from typing import Any

from msgspec import UNSET

from pilotwire.domain.stations.messages import (
    FirmwareProgressed,
    LogProgressed,
    ReportReceived,
    SecurityEventReported,
)
from pilotwire.ocpp.codec.inbound import Inbound, nothing, or_none, trimmed
from pilotwire.ocpp.codec.v16.wire.security import SignCertificateResponse
from pilotwire.ocpp.codec.wiretypes import WireStruct

__all__ = ["INBOUND"]


def _firmware(request: Any, notes: list[str]) -> FirmwareProgressed:
    del notes
    return FirmwareProgressed(request.status, or_none(getattr(request, "requestId", UNSET)))


def _log(request: Any, notes: list[str]) -> LogProgressed:
    del notes
    return LogProgressed(request.status, or_none(getattr(request, "requestId", UNSET)))


def _security(request: Any, notes: list[str]) -> SecurityEventReported:
    del notes
    return SecurityEventReported(request.type, request.timestamp, trimmed(request.techInfo))


def _csr(request: WireStruct, notes: list[str]) -> ReportReceived:
    del request, notes
    return ReportReceived("SignCertificate", b"")


def _no_certificate(answer: Any, request: Any) -> SignCertificateResponse:
    """No authority signs yet, and the station must know that it will wait in vain. Spec: A02.FR.07 in 2.0.1."""
    del answer, request
    return SignCertificateResponse(status="Rejected")


INBOUND = {
    "FirmwareStatusNotification": Inbound(_firmware, nothing),
    "SignedFirmwareStatusNotification": Inbound(_firmware, nothing),
    "DiagnosticsStatusNotification": Inbound(_log, nothing),
    "LogStatusNotification": Inbound(_log, nothing),
    "SecurityEventNotification": Inbound(_security, nothing),
    "SignCertificate": Inbound(_csr, _no_certificate),
}
