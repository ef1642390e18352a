"""A TLS client that proves who it is by a certificate, from one PEM text."""

import os
import ssl
import tempfile

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

__all__ = ["client_context"]


def client_context(pem: str) -> ssl.SSLContext:
    """Make a context of a PEM text with a private key, its certificate, and the chain above it.

    Root certificates in the text are trusted besides the public ones: many programmes have authorities of their own.
    Raises: ValueError, ssl.SSLError.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    for each in x509.load_pem_x509_certificates(pem.encode()):
        if each.issuer == each.subject:
            context.load_verify_locations(cadata=each.public_bytes(Encoding.PEM).decode())
    # The ssl module reads keys from files only; mkstemp makes one that nobody else can read.
    number, path = tempfile.mkstemp(prefix="pilotwire-")
    try:
        with os.fdopen(number, "w") as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)  # noqa: PTH108 - beside mkstemp
    return context
