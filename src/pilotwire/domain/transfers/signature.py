"""Signatures of firmware, checked when it is uploaded rather than at ten thousand stations.

Spec: OCPP 1.6 security whitepaper L01 and 2.0.1 L01: a SHA-256 of the file, signed with the key of the signing
certificate. Vendors sign with RSA (PSS or PKCS #1 v1.5) or ECDSA.
"""

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say
from pilotwire.domain.transfers.errors import WrongSignature

__all__ = ["check_certificate", "check_signature"]

_SHA256 = hashes.SHA256()


def check_certificate(certificate: str, signature: str) -> None:
    """Check that both can be read. Raises: Invalid."""
    _key_of(certificate)
    _bytes_of(signature)


def check_signature(sha256: bytes, signature: str, certificate: str) -> None:
    """Check that a file's checksum was signed by the key of a certificate.

    Raises: WrongSignature; Invalid when certificate or signature cannot be read.
    """
    key, signed = _key_of(certificate), _bytes_of(signature)
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(_SHA256), padding.PSS.AUTO)
        for scheme in (pss, padding.PKCS1v15()):
            try:
                key.verify(signed, sha256, scheme, Prehashed(_SHA256))
            except InvalidSignature:
                continue
            return
    elif isinstance(key, ec.EllipticCurvePublicKey):
        try:
            key.verify(signed, sha256, ec.ECDSA(Prehashed(_SHA256)))
        except InvalidSignature:
            pass
        else:
            return
    raise WrongSignature(
        say(
            "signature_wrong",
            "the certificate's key has not signed this file (RSA-PSS, RSA PKCS #1 v1.5 or ECDSA over its SHA-256)",
        )
    )


def _key_of(certificate: str) -> object:
    try:
        return x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid(
            say("certificate_not_pem", "signing_certificate: not a certificate in PEM (BEGIN CERTIFICATE)")
        ) from error


def _bytes_of(signature: str) -> bytes:
    try:
        return base64.b64decode("".join(signature.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(say("signature_not_base64", "signature: not base64")) from error
