"""What others are told of certificates."""

from datetime import datetime
from uuid import UUID

import msgspec

__all__ = ["AuthorityMade", "CertificateChanged", "CertificateHeld", "UpgradeChanged"]


class CertificateHeld(msgspec.Struct, frozen=True):
    """Which station a certificate belongs to, for the door: it opens for that one alone, and not once `revoked`."""

    sha256: str
    station_id: int
    revoked: bool


class CertificateChanged(msgspec.Struct, frozen=True):
    """A station's certificate was issued, delivered, refused or revoked."""

    tenant_id: int
    station_id: int
    identity: str
    certificate_id: UUID
    purpose: str
    state: str
    at: datetime
    not_after: datetime
    detail: str = ""


class AuthorityMade(msgspec.Struct, frozen=True):
    """There is a new authority: its root is trusted from now on."""

    tenant_id: int
    purpose: str
    root_pem: str


class UpgradeChanged(msgspec.Struct, frozen=True):
    """A station's move to a safer profile came a step further."""

    tenant_id: int
    station_id: int
    identity: str
    profile: int
    step: str
    detail: str
    at: datetime
