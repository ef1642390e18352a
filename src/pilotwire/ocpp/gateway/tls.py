"""TLS for security profiles 2 and 3, and what a failed TLS handshake means in words.

Spec: OCPP 2.0.1 A00.FR.301-329 and the OCPP 1.6 security whitepaper: TLS 1.2 or newer, ECDHE-ECDSA and RSA
with AES-GCM.
"""

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilotwire.ocpp.gateway.ports import ClientCertificate, HandshakeProblem

# TLS 1.3 suites are always on. The last two have no forward secrecy, but OCPP demands them of the server.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the server's chain and key; `client_ca` lets stations show certificates (profile 3)."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    client_certificate_required: bool = False


class TlsContext:
    """The TLS context of one endpoint, renewed when its files change; open connections keep theirs."""

    __slots__ = ("_files", "_roots_pem", "_stamp", "current")

    def __init__(self, files: TlsFiles, roots_pem: str = "") -> None:
        self._files = files
        self._roots_pem = roots_pem
        self._stamp = _stamp(files)
        self.current = build_context(files, roots_pem)

    def trust(self, roots_pem: str) -> None:
        """Let stations show certificates of these authorities too. Raises: OSError, ssl.SSLError."""
        self._roots_pem = roots_pem
        self.reload()

    def reload(self) -> None:
        """Read the files again. Raises: OSError, ssl.SSLError; the context in use then stays."""
        stamp = _stamp(self._files)
        self.current = build_context(self._files, self._roots_pem)
        self._stamp = stamp

    def has_changed(self) -> bool:
        """Whether a file was replaced since it was read (also when the last reading failed)."""
        return _stamp(self._files) not in (self._stamp, None)

    def ignore_present_files(self) -> None:
        """Do not report the files as changed until they change again: they cannot be read."""
        self._stamp = _stamp(self._files)


def _stamp(files: TlsFiles) -> tuple[tuple[int, int], ...] | None:
    stats = []
    for path in (files.certificate, files.key, files.client_ca):
        if path is None:
            continue
        try:
            status = path.stat()
        except OSError:
            return None  # in the middle of being replaced
        stats.append((status.st_mtime_ns, status.st_ino))
    return tuple(stats)


def build_context(files: TlsFiles, roots_pem: str = "") -> ssl.SSLContext:
    """A server context as OCPP asks for it; `roots_pem` are authorities of stations beside those of the files.

    Raises: OSError, ssl.SSLError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    # No session tickets: a resumed session would skip a client certificate that has been withdrawn since.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    context.load_cert_chain(files.certificate, files.key)
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
    if roots_pem:
        context.load_verify_locations(cadata=roots_pem)
    if files.client_ca is not None or roots_pem:
        context.verify_mode = ssl.CERT_REQUIRED if files.client_certificate_required else ssl.CERT_OPTIONAL
    return context


def client_certificate(ssl_object: Any) -> ClientCertificate | None:
    """The verified certificate of the peer, or None when it showed none."""
    der = ssl_object.getpeercert(binary_form=True)
    if not der:
        return None
    decoded = ssl_object.getpeercert()
    names = [pair for part in (decoded or {}).get("subject", ()) for pair in part]
    subject = ",".join(f"{name}={value}" for name, value in names)
    common_name = next((value for name, value in names if name == "commonName"), "")
    return ClientCertificate(subject, common_name, hashlib.sha256(der).hexdigest(), der)


_REASONS = {
    "HTTP_REQUEST": (HandshakeProblem.PLAIN_ON_TLS_PORT, "a plain HTTP request came"),
    "WRONG_VERSION_NUMBER": (HandshakeProblem.TLS_FAILED, "what came is not TLS, or of an unusable version"),
    "UNSUPPORTED_PROTOCOL": (HandshakeProblem.TLS_FAILED, "the station offers only TLS older than 1.2"),
    "VERSION_TOO_LOW": (HandshakeProblem.TLS_FAILED, "the station offers only TLS older than 1.2"),
    "NO_SHARED_CIPHER": (HandshakeProblem.TLS_FAILED, "no cipher suite in common"),
    "NO_SHARED_GROUP": (HandshakeProblem.TLS_FAILED, "no key exchange group in common"),
    "NO_SUITABLE_SIGNATURE_ALGORITHM": (HandshakeProblem.TLS_FAILED, "no signature algorithm in common"),
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        HandshakeProblem.CLIENT_CERTIFICATE_MISSING,
        "no client certificate was shown",
    ),
    "TLSV1_ALERT_UNKNOWN_CA": (
        HandshakeProblem.SERVER_CERTIFICATE_REFUSED,
        "the station does not know the issuer of this server's certificate",
    ),
    "SSLV3_ALERT_BAD_CERTIFICATE": (HandshakeProblem.SERVER_CERTIFICATE_REFUSED, "bad certificate"),
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": (
        HandshakeProblem.SERVER_CERTIFICATE_REFUSED,
        "the station cannot use this kind of certificate",
    ),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": (
        HandshakeProblem.SERVER_CERTIFICATE_REFUSED,
        "the certificate is expired, or the station's clock is wrong",
    ),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": (HandshakeProblem.SERVER_CERTIFICATE_REFUSED, "revoked"),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": (
        HandshakeProblem.SERVER_CERTIFICATE_REFUSED,
        "the station does not accept the certificate",
    ),
    "TLSV1_ALERT_PROTOCOL_VERSION": (HandshakeProblem.TLS_FAILED, "the station wants another TLS version"),
    "UNEXPECTED_EOF_WHILE_READING": (
        HandshakeProblem.TLS_FAILED,
        "the station hung up in the middle; often it does not trust this server's certificate",
    ),
}


def explain(error: BaseException) -> tuple[HandshakeProblem, str]:
    """The problem behind a failed TLS handshake and a detail for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return HandshakeProblem.CLIENT_CERTIFICATE_UNTRUSTED, error.verify_message or "not verified"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        return _REASONS.get(reason, (HandshakeProblem.TLS_FAILED, reason or str(error)))
    if isinstance(error, TimeoutError | ConnectionAbortedError):
        return HandshakeProblem.TIMED_OUT, "the TLS handshake was not finished in time"
    if isinstance(error, ConnectionError | EOFError):
        return (
            HandshakeProblem.TLS_FAILED,
            "the station hung up in the middle; often it does not trust this server's certificate",
        )
    return HandshakeProblem.TLS_FAILED, type(error).__name__
