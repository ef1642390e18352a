"""Failed handshakes, kept in memory and explained in words.

Nothing of an attack reaches the database: entries are aggregated, bounded in number, and one address can fill
only a part of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pilotwire.ocpp.gateway.handshake import printable
from pilotwire.ocpp.gateway.ports import HandshakeProblem

MANY_SUBJECTS = "(many)"
_MAX_TEXT = 160

EXPLANATIONS: dict[HandshakeProblem, str] = {
    HandshakeProblem.WRONG_PATH: (
        "The address holds no station identity. Set the station's server address to end in /ocpp/<identity>, "
        "or to end in /ocpp/ if the station adds its identity itself."
    ),
    HandshakeProblem.UNKNOWN_IDENTITY: (
        "No station of this identity exists. Add it, or correct the identity in the station's settings."
    ),
    HandshakeProblem.WRONG_PASSWORD: (
        "The password is wrong. Enter the station's secret again, or give it a new one; some stations want "
        "it in hexadecimal (AuthorizationKey)."
    ),
    HandshakeProblem.CREDENTIALS_MISSING: (
        "The station sent no password. Enter identity and secret in its settings (security profile 1 or 2)."
    ),
    HandshakeProblem.CREDENTIALS_MALFORMED: (
        "The Authorization header cannot be read as Basic authentication. Enter the secret again; if it "
        "stays so, update the station's firmware."
    ),
    HandshakeProblem.SUBPROTOCOL_UNKNOWN: (
        "The station offers no OCPP version that this server speaks. Set it to OCPP-J 1.6, 2.0.1 or 2.1 "
        "(JSON, not SOAP)."
    ),
    HandshakeProblem.PROFILE_TOO_LOW: (
        "The station connects with a lower security profile than it must. Use wss:// (and its client "
        "certificate), or lower the minimum profile of this station."
    ),
    HandshakeProblem.CLIENT_CERTIFICATE_MISSING: (
        "The station must show a client certificate and showed none. Install its certificate (security "
        "profile 3)."
    ),
    HandshakeProblem.CLIENT_CERTIFICATE_MISMATCH: (
        "The client certificate belongs to another station. Install the certificate that was issued for "
        "this one."
    ),
    HandshakeProblem.CLIENT_CERTIFICATE_UNTRUSTED: (
        "The client certificate is expired or not issued by a trusted authority. Issue a new one, or add its "
        "authority to the client CA file."
    ),
    HandshakeProblem.CLIENT_CERTIFICATE_REVOKED: (
        "The client certificate was revoked here. Let the station connect with its password (lower its minimum "
        "profile for that), then have it request a new certificate."
    ),
    HandshakeProblem.NOT_WEBSOCKET: (
        "Something opened this port as a web page. Stations must use WebSocket; for the console use the web "
        "port."
    ),
    HandshakeProblem.MALFORMED_REQUEST: (
        "The request is no valid WebSocket handshake. If a proxy stands between, let it pass WebSocket "
        "through; blanks in the identity must be encoded as %20."
    ),
    HandshakeProblem.TLS_ON_PLAIN_PORT: (
        "The station speaks TLS to the port without TLS. Use ws:// here, or wss:// with the TLS port."
    ),
    HandshakeProblem.PLAIN_ON_TLS_PORT: (
        "The station speaks plain HTTP to the TLS port. Use wss:// here, or ws:// with the port without TLS."
    ),
    HandshakeProblem.TLS_FAILED: (
        "The TLS handshake failed. The station needs TLS 1.2 or newer and a cipher suite that OCPP names; "
        "see the detail."
    ),
    HandshakeProblem.SERVER_CERTIFICATE_REFUSED: (
        "The station refused this server's certificate. Install the certificate's root on the station, "
        "check the host name it dials, the certificate's dates and the station's clock."
    ),
    HandshakeProblem.TIMED_OUT: (
        "The socket was opened but no complete handshake came. Check proxies, port scans and a poor mobile "
        "link."
    ),
    HandshakeProblem.TOO_MANY_ATTEMPTS: (
        "Too many failed attempts; further ones are put off without being looked at. Correct the cause of "
        "the other entries of this station; if it is none of yours, somebody is guessing."
    ),
    HandshakeProblem.TOO_MANY_CONNECTIONS: (
        "The limit of open connections is reached. Raise the limit or add a gateway."
    ),
    HandshakeProblem.OVERLOADED: (
        "More stations knocked at once than are let in per second; they were asked to come back shortly."
    ),
    HandshakeProblem.DRAINING: "This gateway is about to stop; the station was asked to come back.",
    HandshakeProblem.STATION_REJECTED: "The station is known and barred. Admit it if it should charge.",
    HandshakeProblem.INTERNAL_FAULT: (
        "The server could not decide because of a fault of its own. See the server's log; the station "
        "retries."
    ),
}


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """Attempts of one kind from one address. `subject` is the identity, or the path where there is none."""

    subject: str
    remote_address: str
    problem: HandshakeProblem
    count: int
    first_at: datetime
    last_at: datetime
    detail: str

    @property
    def explanation(self) -> str:
        """What is wrong and what to do about it, for people."""
        return EXPLANATIONS[self.problem]


class _Entry:
    __slots__ = ("count", "detail", "first_at", "last_at")

    def __init__(self, at: datetime) -> None:
        self.count = 0
        self.first_at = at
        self.last_at = at
        self.detail = ""


_EntryKey = tuple[str, str, HandshakeProblem]


def utc_now() -> datetime:
    """The time of day in UTC."""
    return datetime.now(UTC)


class HandshakeLog:
    """The latest failed handshakes, one entry per (subject, address, problem)."""

    __slots__ = ("_capacity", "_entries", "_now", "_per_address", "_quota", "total")

    def __init__(
        self, capacity: int = 1_000, per_address: int = 100, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._capacity = capacity
        self._quota = per_address
        self._now = now
        self._entries: dict[_EntryKey, _Entry] = {}
        self._per_address: dict[str, int] = {}
        self.total = 0

    def record(self, subject: str, remote_address: str, problem: HandshakeProblem, detail: str = "") -> None:
        """Count a failed handshake. Beyond its share, an address's subjects fall into one per problem."""
        self.total += 1
        at = self._now()
        key = (printable(subject, _MAX_TEXT), remote_address, problem)
        if key not in self._entries and self._per_address.get(remote_address, 0) >= self._quota:
            key = (MANY_SUBJECTS, remote_address, problem)
        entry = self._entries.pop(key, None)
        if entry is None:
            entry = _Entry(at)
            self._per_address[remote_address] = self._per_address.get(remote_address, 0) + 1
        entry.count += 1
        entry.last_at = at
        entry.detail = printable(detail, _MAX_TEXT)
        self._entries[key] = entry
        if len(self._entries) > self._capacity:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        key = next(iter(self._entries))
        del self._entries[key]
        left = self._per_address[key[1]] - 1
        if left:
            self._per_address[key[1]] = left
        else:
            del self._per_address[key[1]]

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> tuple[HandshakeFailure, ...]:
        """All entries, newest first."""
        return tuple(
            HandshakeFailure(subject, address, problem, e.count, e.first_at, e.last_at, e.detail)
            for (subject, address, problem), e in reversed(self._entries.items())
        )
