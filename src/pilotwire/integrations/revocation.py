"""Asks OCSP responders and reads revocation lists that stations name, within the egress policy."""

import asyncio
import ssl
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from pilotwire.core.clock import Clock
from pilotwire.domain.certificates.status import Revocation, StatusQuery, StatusSource, StatusTold
from pilotwire.integrations.egress import EgressPolicy, EgressRefused
from pilotwire.integrations.pinned import PinnedClient

__all__ = ["RevocationChecker"]

_OCSP_BYTES = 64 * 1024
_CRL_BYTES = 8 * 1024 * 1024
_MOST_URLS = 3
_CLOCKS = timedelta(minutes=5)
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}


class UselessError(Exception):
    """The answer says nothing about the certificate."""


class RevocationChecker:
    """Asks one address after the other until one gives a useful answer.

    Answers are signed by those who give them and name their times, so that they come by plain HTTP as a rule
    (RFC 6960 A.1); what must not be asked stays what the egress policy says.
    """

    def __init__(self, policy: EgressPolicy, clock: Clock, *, patience_s: float = 6.0) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._client = PinnedClient(
            replace(policy, plain_http=True), patience_s=patience_s, connections=16, headers={}
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._client.close()

    async def check(self, query: StatusQuery) -> StatusTold:
        """Say what is known of a certificate; a failure is an answer with its reason."""
        reasons = []
        try:
            async with asyncio.timeout(self._patience_s):
                for url in query.urls[:_MOST_URLS]:
                    try:
                        return await self._ask(query, url)
                    except EgressRefused as error:
                        reasons.append(f"not allowed: {error}")
                    except UselessError as error:
                        reasons.append(str(error))
                    except (OSError, ssl.SSLError, httpx.HTTPError, UnicodeError) as error:
                        reasons.append(f"{type(error).__name__}: {error}")
        except TimeoutError:
            reasons.append(f"no answer within {self._patience_s:g} s")
        return StatusTold(Revocation.FAILED, reason="; ".join(reasons)[:500] or "no address is named")

    async def _ask(self, query: StatusQuery, url: str) -> StatusTold:
        if query.source is StatusSource.CRL:
            listed = await self._fetch("GET", url, b"", {}, _CRL_BYTES)
            return await asyncio.to_thread(_read_list, query, listed, self._clock())
        question = _question(query)
        headers = {"content-type": "application/ocsp-request", "accept": "application/ocsp-response"}
        answer = await self._fetch("POST", url, question, headers, _OCSP_BYTES)
        return _read_answer(query, answer, self._clock())

    async def _fetch(
        self, method: str, url: str, content: bytes, headers: dict[str, str], most: int
    ) -> bytes:
        async with self._client.send(method, url, content, headers) as response:
            if response.status_code != httpx.codes.OK:
                raise UselessError(f"the responder answered {response.status_code}")
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > most:
                    raise UselessError(f"the answer is longer than {most} bytes")
        return bytes(answer)


def _serial(query: StatusQuery) -> int:
    try:
        return int(query.serial_number, 16)
    except ValueError:
        raise UselessError("serialNumber is not hexadecimal") from None


def _question(query: StatusQuery) -> bytes:
    """Spell the question. Spec: RFC 6960 4.1."""
    try:
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            bytes.fromhex(query.issuer_name_hash), bytes.fromhex(query.issuer_key_hash), _serial(query),
            _HASHES[query.hash_algorithm](),
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise UselessError(f"the hashes are not those of {query.hash_algorithm}: {error}") from error
    return builder.build().public_bytes(serialization.Encoding.DER)


def _read_answer(query: StatusQuery, answer: bytes, now: datetime) -> StatusTold:
    """Read a responder's answer. Raises: UselessError."""
    try:
        read = ocsp.load_der_ocsp_response(answer)
    except ValueError as error:
        raise UselessError("the answer is no OCSP response") from error
    if read.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise UselessError(f"the responder answered {read.response_status.name.lower()}")
    _check_signature(read, now)
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
        return StatusTold(revocation, answer, each.next_update_utc)
    raise UselessError("the answer is about another certificate")


def _is_issuer(query: StatusQuery, each: ocsp.OCSPSingleResponse) -> bool:
    if each.hash_algorithm.name != query.hash_algorithm.lower():
        return True  # told by other hashes: the serial number and the station's own check have to do
    return (
        each.issuer_key_hash.hex() == query.issuer_key_hash.lower()
        and each.issuer_name_hash.hex() == query.issuer_name_hash.lower()
    )


def _check_signature(read: ocsp.OCSPResponse, now: datetime) -> None:
    """Check the signature by the certificate that the responder sends along, which must be one for responders.

    An answer that the issuer signed itself comes without one: the station, which has the issuer, checks it.
    Spec: RFC 6960 4.2.2.2.
    """
    if not read.certificates:
        return
    signer = read.certificates[0]
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        is_responder = ExtendedKeyUsageOID.OCSP_SIGNING in usage
    except x509.ExtensionNotFound:
        is_responder = False
    if not is_responder and not _is_authority(signer):
        raise UselessError("the answer is signed by a certificate that is not for responders")
    if not signer.not_valid_before_utc - _CLOCKS <= now <= signer.not_valid_after_utc + _CLOCKS:
        raise UselessError("the responder's certificate is not valid now")
    key, algorithm = signer.public_key(), read.signature_hash_algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(read.signature, read.tbs_response_bytes, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(read.signature, read.tbs_response_bytes, padding.PKCS1v15(), algorithm)
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise UselessError("the answer's signature is wrong") from error


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _read_list(query: StatusQuery, content: bytes, now: datetime) -> StatusTold:
    """Look a certificate up in a revocation list. Spec: RFC 5280 5. Raises: UselessError."""
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
    digest = hashes.Hash(algorithm())
    digest.update(read.issuer.public_bytes())
    if digest.finalize().hex() != query.issuer_name_hash.lower():
        raise UselessError("the list is another issuer's")
    if read.next_update_utc is not None and read.next_update_utc < now - _CLOCKS:
        raise UselessError("the list is out of date")
    found = read.get_revoked_certificate_by_serial_number(_serial(query))
    return StatusTold(Revocation.GOOD if found is None else Revocation.REVOKED, b"", read.next_update_utc)
