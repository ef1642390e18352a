"""OCPP 1.6: firmware, diagnostics, logs and security (with the security whitepaper)."""

from typing import Any

from msgspec import UNSET

from pilotwire.domain.certificates.messages import CertificateAnswer, CertificateRequested
from pilotwire.domain.stations.messages import (
    FirmwareProgressed,
    LogProgressed,
    SecurityEventReported,
)
from pilotwire.ocpp.codec.inbound import Inbound, nothing, number_or_none, trimmed
from pilotwire.ocpp.codec.v16.wire.security import SignCertificateRequest, SignCertificateResponse

__all__ = ["INBOUND"]


def _firmware(request: Any, notes: list[str]) -> FirmwareProgressed:
    return FirmwareProgressed(request.status, number_or_none(getattr(request, "requestId", UNSET), notes))


def _log(request: Any, notes: list[str]) -> LogProgressed:
    return LogProgressed(request.status, number_or_none(getattr(request, "requestId", UNSET), notes))


def _security(request: Any, notes: list[str]) -> SecurityEventReported:
    del notes
    return SecurityEventReported(request.type, request.timestamp, trimmed(request.techInfo))


def _csr(request: SignCertificateRequest, notes: list[str]) -> CertificateRequested:
    del notes
    return CertificateRequested("charging_station", request.csr)


def _csr_answer(answer: CertificateAnswer, request: Any) -> SignCertificateResponse:
    del request
    return SignCertificateResponse(status="Accepted" if answer.accepted else "Rejected")


INBOUND = {
    "FirmwareStatusNotification": Inbound(_firmware, nothing),
    "SignedFirmwareStatusNotification": Inbound(_firmware, nothing),
    "DiagnosticsStatusNotification": Inbound(_log, nothing),
    "LogStatusNotification": Inbound(_log, nothing),
    "SecurityEventNotification": Inbound(_security, nothing),
    "SignCertificate": Inbound(_csr, _csr_answer),
}
