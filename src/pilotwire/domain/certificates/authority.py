"""The system's own certificate authority; pure but for the randomness of keys.

Two tiers: a root that stations and listeners trust, and an issuing certificate. The root's key signs that one
certificate and is forgotten, so it cannot leak; an issuing key that leaked is answered by a new authority.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilotwire.domain.certificates.model import AuthorityKeys, Issued, Purpose
from pilotwire.domain.certificates.request import read_request

__all__ = ["issue_certificate", "issue_server_certificate", "make_authority", "read_chain"]

_ROOT_YEARS = 25
_CLOCK_SKEW = timedelta(hours=24)
"""Stations' clocks are wrong before their first contact; a certificate is good a little before it was made."""

_TITLES = {Purpose.CHARGING_STATION: "Charging Station", Purpose.V2G: "V2G"}

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey


def make_authority(purpose: Purpose, organisation: str, now: datetime) -> AuthorityKeys:
    """Make a root and its issuing certificate (ECDSA P-256, which every OCPP station knows)."""
    title = _TITLES[purpose]
    root_key = ec.generate_private_key(ec.SECP256R1())
    issuing_key = ec.generate_private_key(ec.SECP256R1())
    end = now + timedelta(days=365 * _ROOT_YEARS)
    root_name = _name(organisation, f"{title} Root {now:%Y}")
    root = _authority_certificate(root_name, root_name, root_key.public_key(), root_key, (now, end), path=1)
    issuing_name = _name(organisation, f"{title} Issuing {now:%Y}")
    issuing = _authority_certificate(
        issuing_name, root_name, issuing_key.public_key(), root_key, (now, end), path=0
    )
    return AuthorityKeys(
        _pem(root),
        _pem(issuing),
        issuing_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def issue_certificate(
    keys: AuthorityKeys, certificate_id: UUID, csr_pem: str, purpose: Purpose, now: datetime, days: int
) -> Issued:
    """Sign a request that has been checked. The subject is the station's own.

    Spec: 2.0.1 A00.FR.506-512; ISO 15118-2 Annex F for V2G. Raises: ValueError.
    """
    request = read_request(csr_pem)
    key = request.public_key()
    if not isinstance(key, PublicKey):
        raise ValueError("the key is neither RSA nor of an elliptic curve")  # noqa: TRY004 - of the request, not of ours
    builder = _leaf(keys, request.subject, key, now, days)
    if purpose is Purpose.CHARGING_STATION:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(usage, critical=False)
    return _signed(keys, builder, certificate_id)


def issue_server_certificate(
    keys: AuthorityKeys, certificate_id: UUID, names: Sequence[str], now: datetime, days: int
) -> tuple[Issued, bytes]:
    """Make a certificate for this server's own TLS port, with its key (PEM). Spec: 2.0.1 A00.FR.507-509."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    builder = (
        _leaf(keys, subject, key.public_key(), now, days)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _signed(keys, builder, certificate_id), pem


def read_chain(certificate_id: UUID, chain_pem: str, csr_pem: str) -> Issued:
    """Read a chain that another authority has made for a request.

    Raises: ValueError when it is no chain, its first certificate is of another key, or each is not signed by the next.
    """
    try:
        chain = x509.load_pem_x509_certificates(chain_pem.encode())
    except ValueError as error:
        raise ValueError("the chain is not PEM text with certificates, the station's own first") from error
    if "PRIVATE KEY" in chain_pem:
        raise ValueError("the chain has a private key in it; send certificates only")
    if chain[0].public_key() != read_request(csr_pem).public_key():
        raise ValueError("the first certificate is not of the key that the station asked to have signed")
    for lower, upper in pairwise(chain):
        try:
            lower.verify_directly_issued_by(upper)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise ValueError(
                f"'{lower.subject.rfc4514_string()}' is not signed by '{upper.subject.rfc4514_string()}'"
            ) from error
    return _issued(certificate_id, chain[0], "".join(_pem(each) for each in chain))


def _leaf(
    keys: AuthorityKeys, subject: x509.Name, key: PublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    issuing = x509.load_pem_x509_certificate(keys.issuing_pem.encode())
    issuing_key = issuing.public_key()
    assert isinstance(issuing_key, ec.EllipticCurvePublicKey)  # noqa: S101 - made by make_authority
    end = min(now + timedelta(days=days), issuing.not_valid_after_utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuing.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False, rsa_key=isinstance(key, rsa.RSAPublicKey)), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing_key), critical=False)
    )


def _signed(keys: AuthorityKeys, builder: x509.CertificateBuilder, certificate_id: UUID) -> Issued:
    key = serialization.load_pem_private_key(keys.issuing_key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - made by make_authority
    certificate = builder.sign(key, hashes.SHA256())
    return _issued(certificate_id, certificate, _pem(certificate) + keys.issuing_pem)


def _issued(certificate_id: UUID, certificate: x509.Certificate, chain_pem: str) -> Issued:
    return Issued(
        certificate_id,
        chain_pem,
        format(certificate.serial_number, "x"),
        certificate.subject.rfc4514_string(),
        certificate.fingerprint(hashes.SHA256()).hex(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def _authority_certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signing_key: ec.EllipticCurvePrivateKey,
    validity: tuple[datetime, datetime],
    path: int,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0] - _CLOCK_SKEW)
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=True, path_length=path), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False
        )
        .sign(signing_key, hashes.SHA256())
    )


def _usage(*, authority: bool, rsa_key: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=rsa_key,
        data_encipherment=False,
        key_agreement=not authority and not rsa_key,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
