"""What stations say about certificates, free of any OCPP version, and what they are answered."""

import msgspec

__all__ = ["CertificateAnswer", "CertificateRequested"]


class CertificateRequested(msgspec.Struct, frozen=True):
    """A station asks to have its public key signed. Spec: 1.6 security A02; 2.0.1 A02, A03."""

    purpose: str
    """A value of `Purpose`."""
    csr_pem: str
    request_id: int | None = None
    """2.1 stations number their requests and want the number back."""


class CertificateAnswer(msgspec.Struct, frozen=True):
    """Whether the request is taken; the certificate itself follows later."""

    accepted: bool
    reason: str = ""
