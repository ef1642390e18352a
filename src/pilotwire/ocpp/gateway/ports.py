"""What the transport asks of the layer above, and what it gives to it.

The gateway knows sockets, TLS and WebSocket frames. Who a station is and what its frames mean is decided by
a `Doorkeeper` and a `ConnectionOwner`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

Utf8Policy = Literal["strict", "pass"]


class HandshakeProblem(Enum):
    """Why a station was not let in; the value is the stable code that the API and the metrics use."""

    WRONG_PATH = "wrong_path"
    UNKNOWN_IDENTITY = "unknown_identity"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a name, not a secret
    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_MALFORMED = "credentials_malformed"
    SUBPROTOCOL_UNKNOWN = "subprotocol_unknown"
    PROFILE_TOO_LOW = "profile_too_low"
    CLIENT_CERTIFICATE_MISSING = "client_certificate_missing"
    CLIENT_CERTIFICATE_MISMATCH = "client_certificate_mismatch"
    CLIENT_CERTIFICATE_UNTRUSTED = "client_certificate_untrusted"
    CLIENT_CERTIFICATE_REVOKED = "client_certificate_revoked"
    NOT_WEBSOCKET = "not_websocket"
    MALFORMED_REQUEST = "malformed_request"
    TLS_ON_PLAIN_PORT = "tls_on_plain_port"
    PLAIN_ON_TLS_PORT = "plain_on_tls_port"
    TLS_FAILED = "tls_failed"
    SERVER_CERTIFICATE_REFUSED = "server_certificate_refused"
    TIMED_OUT = "timed_out"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    OVERLOADED = "overloaded"
    DRAINING = "draining"
    STATION_REJECTED = "station_rejected"
    INTERNAL_FAULT = "internal_fault"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """User and password of HTTP Basic authentication, as the bytes that were sent (keys may be binary)."""

    user: bytes
    password: bytes

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, password=<{len(self.password)} bytes>)"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The certificate that the station proved to own during the TLS handshake; its chain is verified."""

    subject: str
    common_name: str
    sha256: str
    der: bytes


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a station asked for when it knocked.

    `identity_candidates` holds the exact spellings first, most likely one in front, then their case-folded
    variants. `offered` holds the subprotocols as the station spelt them. `secure` tells TLS.
    """

    raw_path: str
    identity_candidates: tuple[str, ...]
    authorization: Credentials | None
    offered: tuple[str, ...]
    remote_address: str
    client_certificate: ClientCertificate | None
    secure: bool
    user_agent: str
    credentials_malformed: bool = False


@dataclass(frozen=True, slots=True)
class Admit:
    """Let the station in.

    `subprotocol` is the canonical name (`ocpp1.6`); the answer repeats the station's own spelling of it, and
    None answers without the header and counts as OCPP 1.6. `ping` off is for stations that never answer one;
    a dead peer is then found by TCP keep-alive. `utf8="pass"` hands text on as it came, so that the owner can
    repair it; `strict` closes with 1007. `deflate` off refuses compression though the station offers it.
    """

    station: object
    identity: str
    subprotocol: str | None
    ping: bool = True
    utf8: Utf8Policy = "pass"
    deflate: bool = True


@dataclass(frozen=True, slots=True)
class Refuse:
    """Keep the station out.

    The station is told the status alone, so that two reasons with one status look the same to it; `reason`
    and `detail` are for the handshake log.
    """

    status: int
    reason: HandshakeProblem
    retry_after_s: int | None = None
    detail: str = ""


class Connection(Protocol):
    """One socket of one station; it stays this object from `opened` to `closed` and is never reused."""

    @property
    def station(self) -> object: ...
    @property
    def identity(self) -> str: ...
    @property
    def subprotocol(self) -> str: ...
    @property
    def remote_address(self) -> str: ...
    @property
    def opened_at(self) -> float:
        """Units: seconds of the monotonic clock."""

    @property
    def last_inbound_at(self) -> float:
        """When the last frame of any kind arrived. Units: seconds of the monotonic clock."""

    @property
    def is_open(self) -> bool:
        """Whether a text can still be sent."""

    def send(self, text: bytes) -> None:
        """Queue a text; never blocks. A station that does not read is dropped; after the end, nothing."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Start the closing handshake. Texts that arrive after this are not delivered."""

    def abort(self, reason: str = "aborted") -> None:
        """Drop the socket at once."""

    def pause_reading(self) -> None:
        """Stop delivering texts. Those already in memory wait, in order, for `resume_reading`."""

    def resume_reading(self) -> None:
        """Deliver what waited, then read on."""


class Doorkeeper(Protocol):
    """Decides who may enter. Called on the event loop at every handshake: never wait or hash slowly."""

    def decide(self, handshake: Handshake) -> Admit | Refuse: ...


class ConnectionOwner(Protocol):
    """Receives what stations say. All calls come on the event loop, in order, and must not block."""

    def opened(self, connection: Connection) -> Callable[[bytes], None]:
        """Give what takes the station's texts."""

    def closed(self, connection: Connection, code: int, reason: str) -> None:
        """Called once for each `opened`, after the last text.

        The code is the peer's or ours; 1005 says that none was given, 1006 that the socket went away without
        one.
        """
