"""What responders and revocation lists say of a certificate, and whether its issuer really says so.

A station names the issuer by hashes of its name and key. A certificate with these hashes is the issuer's, whoever sends it
along, so that what it has signed is proved; where nobody has that certificate, the answer is handed on as unproved.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from pilotwire.domain.certificates.status import Revocation, StatusQuery, StatusTold

__all__ = ["UselessError", "find_issuer", "question_of", "read_answer", "read_list"]

_CLOCKS = timedelta(minutes=5)
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}


class UselessError(Exception):
    """The answer says nothing about the certificate."""


def question_of(query: StatusQuery) -> bytes:
    """Spell the question. Spec: RFC 6960 4.1. Raises: UselessError."""
    try:
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            bytes.fromhex(query.issuer_name_hash), bytes.fromhex(query.issuer_key_hash), _serial(query),
            _HASHES[query.hash_algorithm](),
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise UselessError(f"the hashes are not those of {query.hash_algorithm}: {error}") from error
    return builder.build().public_bytes(serialization.Encoding.DER)


def find_issuer(query: StatusQuery, known: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """Find the certificate that the query names by the hashes of its name and key."""
    algorithm = _HASHES.get(query.hash_algorithm)
    if algorithm is None:
        return None
    wanted = (query.issuer_name_hash.lower(), query.issuer_key_hash.lower())
    for certificate in known:
        name = _digest(algorithm, certificate.subject.public_bytes())
        if name == wanted[0] and _digest(algorithm, _key_bits(certificate)) == wanted[1]:
            return certificate
    return None


def read_answer(
    query: StatusQuery, answer: bytes, known: Iterable[x509.Certificate], now: datetime
) -> StatusTold:
    """Read a responder's answer; `known` are the certificates of issuers that are kept here. Raises: UselessError."""
    try:
        read = ocsp.load_der_ocsp_response(answer)
    except ValueError as error:
        raise UselessError("the answer is no OCSP response") from error
    if read.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise UselessError(f"the responder answered {read.response_status.name.lower()}")
    issuer = find_issuer(query, [*read.certificates, *known])
    proved = _is_proved(read, issuer, now)
    serial = _serial(query)
    for each in read.responses:
        if each.serial_number != serial or not _is_issuer(query, each):
            continue
        if each.this_update_utc > now + _CLOCKS:
            raise UselessError("the answer is of a time to come")
        if each.next_update_utc is not None and each.next_update_utc < now - _CLOCKS:
            raise UselessError("the answer is out of date")
        revocation = {
            ocsp.OCSPCertStatus.GOOD: Revocation.GOOD,
            ocsp.OCSPCertStatus.REVOKED: Revocation.REVOKED,
        }.get(each.certificate_status, Revocation.UNKNOWN)
        return StatusTold(revocation if proved else Revocation.UNPROVED, answer, each.next_update_utc)
    raise UselessError("the answer is about another certificate")


def read_list(
    query: StatusQuery, content: bytes, known: Iterable[x509.Certificate], now: datetime
) -> StatusTold:
    """Look a certificate up in a revocation list. Spec: RFC 5280 5, 6.3.3. Raises: UselessError."""
    try:
        read = (
            x509.load_pem_x509_crl(content)
            if content.startswith(b"-----")
            else x509.load_der_x509_crl(content)
        )
    except ValueError as error:
        raise UselessError("the answer is no revocation list") from error
    algorithm = _HASHES.get(query.hash_algorithm)
    if algorithm is None:
        raise UselessError(f"there is no hash {query.hash_algorithm}")
    if _digest(algorithm, read.issuer.public_bytes()) != query.issuer_name_hash.lower():
        raise UselessError("the list is another issuer's")
    if read.next_update_utc is not None and read.next_update_utc < now - _CLOCKS:
        raise UselessError("the list is out of date")
    issuer = find_issuer(query, known)
    if issuer is None:
        return StatusTold(Revocation.UNPROVED, b"", read.next_update_utc)
    try:
        is_right = read.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except TypeError:
        is_right = False  # a key that signs no lists
    if not is_right:
        raise UselessError("the list's signature is wrong")
    found = read.get_revoked_certificate_by_serial_number(_serial(query))
    return StatusTold(Revocation.GOOD if found is None else Revocation.REVOKED, b"", read.next_update_utc)


def _is_proved(read: ocsp.OCSPResponse, issuer: x509.Certificate | None, now: datetime) -> bool:
    """Check the signature by the issuer, or by a certificate for responders that the issuer has signed.

    Tells whether it could be checked up to the issuer. Spec: RFC 6960 4.2.2.2. Raises: UselessError when it is wrong.
    """
    signer = read.certificates[0] if read.certificates else issuer
    if signer is None:
        return False
    _check_signature(read, signer)
    if issuer is not None and signer.public_key() == issuer.public_key():
        return True
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        is_responder = ExtendedKeyUsageOID.OCSP_SIGNING in usage
    except x509.ExtensionNotFound:
        is_responder = False
    if not is_responder:
        raise UselessError("the answer is signed by a certificate that is not for responders")
    if not signer.not_valid_before_utc - _CLOCKS <= now <= signer.not_valid_after_utc + _CLOCKS:
        raise UselessError("the responder's certificate is not valid now")
    if issuer is None:
        return False
    try:
        signer.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise UselessError("the responder's certificate is not of the issuer") from error
    return True


def _check_signature(read: ocsp.OCSPResponse, signer: x509.Certificate) -> None:
    key, algorithm = signer.public_key(), read.signature_hash_algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(read.signature, read.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(read.signature, read.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        else:
            raise UselessError("the answer is signed by a kind of key that is not known here")
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise UselessError("the answer's signature is wrong") from error


def _serial(query: StatusQuery) -> int:
    try:
        return int(query.serial_number, 16)
    except ValueError:
        raise UselessError("serialNumber is not hexadecimal") from None


def _is_issuer(query: StatusQuery, each: ocsp.OCSPSingleResponse) -> bool:
    if each.hash_algorithm.name != query.hash_algorithm.lower():
        return True  # told by other hashes: the serial number and the signature have to do
    return (
        each.issuer_key_hash.hex() == query.issuer_key_hash.lower()
        and each.issuer_name_hash.hex() == query.issuer_name_hash.lower()
    )


def _digest(algorithm: type[hashes.HashAlgorithm], content: bytes) -> str:
    digest = hashes.Hash(algorithm())
    digest.update(content)
    return digest.finalize().hex()


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The public key as it stands in the certificate, without its algorithm. Spec: RFC 6960 4.1.1."""
    key = certificate.public_key()
    encoding, form = serialization.Encoding, serialization.PublicFormat
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(encoding.DER, form.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(encoding.X962, form.UncompressedPoint)
    return b""  # no kind of key that signs certificates of the field
