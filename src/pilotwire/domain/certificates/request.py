"""Checking what a station wants signed; pure."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from pilotwire.domain.certificates.model import Purpose

__all__ = ["check_request", "read_request"]

_LEAST_RSA_BITS = 2048
_LEAST_CURVE_BITS = 224
_LONGEST_PEM = 5500  # the schemas' own limit


def read_request(csr_pem: str) -> x509.CertificateSigningRequest:
    """Read a certificate signing request.

    Raises: ValueError with the reason.
    """
    if len(csr_pem) > _LONGEST_PEM:
        raise ValueError(f"the request has more than {_LONGEST_PEM} characters")
    text = csr_pem.strip().replace("\\n", "\n").replace("\r\n", "\n")
    if "-----BEGIN" not in text:  # base64 alone is sent by some stations
        text = f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n"
    try:
        request = x509.load_pem_x509_csr(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("the request is no PKCS #10 certificate signing request in PEM") from error
    return request


def check_request(csr_pem: str, purpose: Purpose, names: tuple[str, ...]) -> str:
    """Say what is wrong with a request, or nothing.

    `names` are what the station may call itself: its identity and its serial number. Only for a charging station's
    own certificate the name is checked: a V2G certificate is named by its operator's rules.
    Spec: 2.0.1 A00.FR.504-511 (2048 bits RSA, 224 bits ECC, the name is the station's own).
    """
    try:
        request = read_request(csr_pem)
        valid = request.is_signature_valid
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        return str(error)
    if not valid:
        return "the request is not signed with its own key"
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _LEAST_RSA_BITS:
            return f"an RSA key of {key.key_size} bits; it has to have {_LEAST_RSA_BITS} at least"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.key_size < _LEAST_CURVE_BITS:
            return (
                f"an elliptic curve of {key.curve.key_size} bits; it has to have {_LEAST_CURVE_BITS} at least"
            )
    elif not isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return "the key is neither RSA nor of an elliptic curve"
    if purpose is not Purpose.CHARGING_STATION:
        return ""
    found = [str(each.value) for each in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    known = {name.casefold() for name in names if name}
    if len(found) != 1 or found[0].casefold() not in known:
        wanted = " or ".join(f"'{name}'" for name in names if name)
        return f"the common name is {', '.join(found)[:80] or 'missing'}; it has to be {wanted}"
    return ""
