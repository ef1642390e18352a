"""What a station's request for a certificate leads to: a function of what is in memory and the message."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pilotwire.domain.certificates.messages import CertificateAnswer, CertificateRequested
from pilotwire.domain.certificates.model import Purpose
from pilotwire.domain.certificates.records import CertificateRequestKept
from pilotwire.domain.certificates.request import check_request
from pilotwire.domain.stations.model import StationRecord
from pilotwire.domain.stations.records import SecurityEventKept

__all__ = ["decide_certificate_request"]


def decide_certificate_request(
    record: StationRecord, message: CertificateRequested, request_id: UUID, now: datetime
) -> tuple[CertificateAnswer, list[Any]]:
    """Take a request that can be signed, and refuse another with the reason; both are kept.

    Spec: 2.0.1 A02.FR.02, A02.FR.05: the CSMS answers at once and sends the certificate later.
    """
    names = (record.identity, record.serial_number)
    reason = check_request(message.csr_pem, Purpose(message.purpose), names)
    kept: list[Any] = [
        CertificateRequestKept(
            request_id,
            record.tenant_id,
            record.id,
            record.identity,
            message.purpose,
            message.csr_pem,
            message.request_id,
            now,
            reason,
        )
    ]
    if reason:
        # Spec: 2.0.1 appendix 1, security events.
        kept.append(
            SecurityEventKept(
                record.tenant_id, record.id, record.identity, "InvalidCertificateRequest", now, now, reason
            )
        )
    return CertificateAnswer(not reason, reason), kept
