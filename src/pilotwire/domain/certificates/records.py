"""What the stations' path keeps about certificates."""

from datetime import datetime
from uuid import UUID

import msgspec

__all__ = ["CertificateRequestKept"]


class CertificateRequestKept(msgspec.Struct, frozen=True, gc=False):
    """A station's request for a certificate; `reason` says why it was refused, if it was."""

    id: UUID
    tenant_id: int
    station_id: int
    identity: str
    purpose: str
    csr_pem: str
    request_id: int | None
    received_at: datetime
    reason: str
