"""The issuer of a certificate is known by the hashes that stations give."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from pilotwire.domain.certificates.status import StatusQuery
from pilotwire.integrations.revocation_answers import find_issuer

KEYS: dict[str, Any] = {
    "P-256": ec.generate_private_key(ec.SECP256R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "RSA": rsa.generate_private_key(65537, 2048),
}
HASHES = {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}


def authority(key: Any, name: str = "CA") -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    )
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize("kind", list(KEYS))
@pytest.mark.parametrize("algorithm", list(HASHES))
def test_the_issuer_is_found_by_name_and_key(kind: str, algorithm: str) -> None:
    issuer = authority(KEYS[kind])
    asked = ocsp.OCSPRequestBuilder().add_certificate(issuer, issuer, HASHES[algorithm]).build()
    query = StatusQuery(algorithm, asked.issuer_name_hash.hex().upper(), asked.issuer_key_hash.hex(), "7", ())
    others = [
        authority(KEYS[kind], "another name"),
        *(authority(key) for name, key in KEYS.items() if name != kind),
    ]
    assert find_issuer(query, [*others, issuer]) == issuer
    assert find_issuer(query, others) is None
