"""A station's certificates: real keys, real signing requests, real hashes.

Nothing is trusted for a connection with them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class CertificateHash:
    """How OCPP names a certificate (hexadecimal, SHA-256)."""

    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class Installed:
    """A root certificate that the server installed."""

    type: str
    hash: CertificateHash


class CertificateStore:
    """Installed roots, the station's own key and certificate."""

    def __init__(self) -> None:
        self.installed: list[Installed] = []
        self.own_certificate_pem: str | None = None
        self._key: ec.EllipticCurvePrivateKey | None = None

    def install(self, kind: str, pem: str) -> bool:
        """Keep a root certificate; False when it is not one."""
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            return False
        entry = Installed(kind, hash_of(certificate))
        self.installed = [held for held in self.installed if held != entry] + [entry]
        return True

    def delete(self, wanted: CertificateHash) -> bool:
        """Forget a certificate; whether it was there."""
        before = len(self.installed)
        self.installed = [held for held in self.installed if held.hash != wanted]
        return len(self.installed) < before

    def signing_request(self, identity: str, organisation: str) -> str:
        """A new key's certificate signing request as PEM."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64] or "Simulator"),
                x509.NameAttribute(NameOID.COMMON_NAME, identity[:64]),
            ]
        )
        request = (
            x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self._key, hashes.SHA256())
        )
        return request.public_bytes(serialization.Encoding.PEM).decode()

    def accept_signed(self, chain_pem: str) -> bool:
        """Take the signed chain when its first certificate belongs to the key of the last request."""
        try:
            certificate = x509.load_pem_x509_certificates(chain_pem.encode())[0]
        except ValueError:
            return False
        if self._key is None or certificate.public_key() != self._key.public_key():
            return False
        self.own_certificate_pem = chain_pem
        return True


def hash_of(certificate: x509.Certificate) -> CertificateHash:
    """The name of a self-signed certificate, whose issuer's key is its own.

    Spec: OCPP 2.0.1 CertificateHashDataType.
    """
    return CertificateHash(
        hashlib.sha256(certificate.issuer.public_bytes()).hexdigest(),
        hashlib.sha256(_key_bits(certificate)).hexdigest(),
        format(certificate.serial_number, "x"),
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The key's bit string without the algorithm around it, as OCSP hashes it (RFC 6960 4.1.1)."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
