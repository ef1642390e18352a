"""Certificates, the requests for them, and the authorities that sign."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

__all__ = ["AuthorityKeys", "CertificateState", "Issued", "Purpose", "RequestState", "UpgradeStep"]


class Purpose(StrEnum):
    """What a certificate is for. Spec: 2.0.1 A02: ChargingStationCertificate, V2GCertificate."""

    CHARGING_STATION = "charging_station"
    """The station shows it to this system (security profile 3)."""
    V2G = "v2g"
    """The station shows it to cars (ISO 15118)."""


class RequestState(StrEnum):
    """Where a station's request for a certificate stands."""

    WAITING = "waiting"
    SENDING = "sending"
    """The certificate is made and on its way to the station."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    """Refused by us, by an operator, or the certificate by the station: `reason` says which and why."""
    REPLACED = "replaced"
    """The station has made a newer request."""


class CertificateState(StrEnum):
    """Where a station's certificate stands."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    REFUSED = "refused"
    REVOKED = "revoked"


class UpgradeStep(StrEnum):
    """The steps in which a station is moved to a safer profile; the old profile holds until the last is done."""

    ROOT = "root"
    """It is given the root certificate of this server."""
    CERTIFICATE = "certificate"
    """It is asked to request a certificate, and gets it."""
    PRIORITY = "priority"
    """It is asked which ways to a server it knows (2.x), so that the old one stays as the second choice."""
    SWITCH = "switch"
    """It is told the new profile, in 2.x as a further way to this server."""
    PREFER = "prefer"
    """It is told to try the new way first (2.x)."""
    RESTART = "restart"
    """It restarts to take it up."""
    RETURN = "return"
    """It is waited for with the new profile."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuthorityKeys:
    """An authority of this system: its root, and the issuing certificate that the root has signed, with its key (PEM)."""

    root_pem: str
    issuing_pem: str
    issuing_key_pem: bytes


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as it was issued. `chain_pem` begins with the certificate itself and leaves the root out."""

    id: UUID
    chain_pem: str
    serial_number: str
    subject: str
    sha256: str
    not_before: datetime
    not_after: datetime
