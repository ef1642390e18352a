"""Whether a certificate has been revoked: what stations ask, and what they are told."""

from datetime import datetime
from enum import StrEnum

import msgspec

from pilotwire.domain.lookups import LookupNeeded

__all__ = [
    "CertificateStatusAnswer",
    "CertificateStatusAsked",
    "Revocation",
    "StatusLookup",
    "StatusQuery",
    "StatusSource",
    "StatusTold",
]


class StatusSource(StrEnum):
    """Who is asked."""

    OCSP = "ocsp"
    CRL = "crl"


class Revocation(StrEnum):
    """What is known of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """The one who was asked does not know it."""
    UNPROVED = "unproved"
    """There is an answer, and nobody here has its issuer's certificate to check it by: the station has to."""
    FAILED = "failed"
    """Nobody could be asked, or the answer is of no use."""


class StatusQuery(msgspec.Struct, frozen=True):
    """A certificate by the hashes of its issuer, and where its status is to be had. Spec: 2.0.1 M06, 2.1 M07."""

    hash_algorithm: str
    """SHA256, SHA384 or SHA512."""
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str
    """In hexadecimal."""
    urls: tuple[str, ...]
    source: StatusSource = StatusSource.OCSP


class StatusTold(msgspec.Struct, frozen=True):
    """What came of asking; `ocsp_der` is the responder's answer as it came, which stations check themselves."""

    revocation: Revocation
    ocsp_der: bytes = b""
    next_update: datetime | None = None
    reason: str = ""


class CertificateStatusAsked(msgspec.Struct, frozen=True):
    """A station wants to know of certificates."""

    asked: tuple[StatusQuery, ...]


class CertificateStatusAnswer(msgspec.Struct, frozen=True):
    """What is known of each."""

    told: tuple[StatusTold, ...]


class StatusLookup(LookupNeeded):
    """The status of these certificates has to be asked for first."""

    def __init__(self, queries: tuple[StatusQuery, ...]) -> None:
        super().__init__(queries)
        self.queries = queries
