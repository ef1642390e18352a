"""Reading the HTTP request that opens a WebSocket, leniently, and writing the answers. Pure.

Spec: RFC 6455 4.2.1; RFC 7617 (Basic). Chargers leave out `Connection: Upgrade` (Autel), send `keep-alive,
Upgrade`, or no `Sec-WebSocket-Version`; with `Upgrade: websocket` and a key the wish is clear enough.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from pilotwire.ocpp.gateway.ports import Credentials, HandshakeProblem, Refuse

MAX_HEADERS = 64
MAX_OFFERED_SUBPROTOCOLS = 16
MAX_USER_AGENT_CHARS = 128
_ACCEPTED_VERSIONS = ("13", "8", "7")

WEBSOCKET_HINT = (
    "This is the OCPP endpoint of a charge point management system. It speaks WebSocket only: set the "
    "station's server address to ws:// or wss:// with this host and port, the path /ocpp and the station's "
    "identity.\n"
)

_BODIES = {
    HTTPStatus.BAD_REQUEST: "The request cannot be understood or names no supported OCPP subprotocol.\n",
    HTTPStatus.UNAUTHORIZED: "Identity or credentials are not accepted.\n",
    HTTPStatus.FORBIDDEN: "This station may not connect in this way.\n",
    HTTPStatus.NOT_FOUND: "No station identity in the path. Use /ocpp/<identity>.\n",
    HTTPStatus.UPGRADE_REQUIRED: WEBSOCKET_HINT,
    HTTPStatus.TOO_MANY_REQUESTS: "Too many attempts. Try again later.\n",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now. Try again later.\n",
}


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """A request head that asks for a WebSocket."""

    raw_path: str
    key: str
    authorization: str | None
    offered: tuple[str, ...]
    extensions: str
    user_agent: str
    forwarded_for: str = ""
    forwarded_proto: str = ""


@dataclass(frozen=True, slots=True)
class HeadFault:
    """A request head that cannot become a WebSocket, and what to answer."""

    refusal: Refuse
    raw_path: str = ""
    user_agent: str = ""


@dataclass(slots=True)
class _Headers:
    """Names folded to lower case; repeated headers are kept in order."""

    values: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        found = self.values.get(name)
        return found[0] if found else None

    def joined(self, name: str) -> str:
        return ",".join(self.values.get(name, ()))

    def tokens(self, name: str) -> tuple[str, ...]:
        return tuple(t for part in self.joined(name).split(",") if (t := part.strip()))


def parse_head(head: bytes) -> UpgradeRequest | HeadFault:
    """Read a request head (without the empty line that ends it)."""
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) < 3 or not parts[-1].startswith(b"HTTP/1."):
        return _fault("the first line is not an HTTP/1.1 request")
    # An identity with blanks that nobody encoded is still between the method and the version.
    raw_path = b" ".join(parts[1:-1]).decode("utf-8", "surrogateescape")
    headers = _parse_headers(lines[1:])
    if isinstance(headers, str):
        return _fault(headers, raw_path)
    user_agent = printable(headers.first("user-agent") or "", MAX_USER_AGENT_CHARS)
    if (headers.first("upgrade") or "").strip().lower() != "websocket":
        return HeadFault(
            Refuse(426, HandshakeProblem.NOT_WEBSOCKET, detail="no Upgrade: websocket header"),
            raw_path,
            user_agent,
        )
    if parts[0] != b"GET":
        return _fault("the method is not GET", raw_path, user_agent)
    if (headers.first("sec-websocket-version") or "13") not in _ACCEPTED_VERSIONS:
        detail = "the WebSocket version is not 13"
        return HeadFault(Refuse(426, HandshakeProblem.MALFORMED_REQUEST, detail=detail), raw_path, user_agent)
    key = headers.first("sec-websocket-key") or ""
    if not _is_websocket_key(key):
        return _fault("Sec-WebSocket-Key is missing or not 16 bytes in base64", raw_path, user_agent)
    return UpgradeRequest(
        raw_path=raw_path,
        key=key,
        authorization=headers.first("authorization"),
        offered=headers.tokens("sec-websocket-protocol")[:MAX_OFFERED_SUBPROTOCOLS],
        extensions=headers.joined("sec-websocket-extensions"),
        user_agent=user_agent,
        forwarded_for=headers.joined("x-forwarded-for"),
        forwarded_proto=(headers.first("x-forwarded-proto") or "").strip().lower(),
    )


def _fault(detail: str, raw_path: str = "", user_agent: str = "") -> HeadFault:
    return HeadFault(Refuse(400, HandshakeProblem.MALFORMED_REQUEST, detail=detail), raw_path, user_agent)


def _parse_headers(lines: Iterable[bytes]) -> _Headers | str:
    headers = _Headers()
    for count, line in enumerate(lines, start=1):
        if count > MAX_HEADERS:
            return f"more than {MAX_HEADERS} headers"
        name, colon, value = line.partition(b":")
        if not colon or not name or line[:1] in b" \t":
            return "a header line without a name"
        if any(c < 32 and c != 9 for c in value):
            return "a header with control characters"
        folded = name.strip().lower().decode("latin-1")
        headers.values.setdefault(folded, []).append(value.strip().decode("utf-8", "surrogateescape"))
    return headers


def _is_websocket_key(key: str) -> bool:
    try:
        return len(b64decode(key.encode("ascii"), validate=True)) == 16
    except (UnicodeEncodeError, binascii.Error):
        return False


def parse_authorization(header: str | None) -> tuple[Credentials | None, bool]:
    """Credentials of a Basic header, and whether a header was there but could not be read.

    The bytes are kept as they are: keys may be binary. Missing base64 padding is repaired; the password is
    all that follows the first colon.
    """
    if header is None:
        return None, False
    scheme, _, token = header.strip().partition(" ")
    token = "".join(token.split())
    if scheme.lower() != "basic" or not token:
        return None, True
    try:
        raw = token.encode("ascii")
        decoded = b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None, True
    user, colon, password = decoded.partition(b":")
    if not colon:
        return None, True
    return Credentials(user, password), False


def printable(text: str, limit: int) -> str:
    """Text from outside, safe for a log and a page: bounded, no control characters or lone surrogates."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:limit])


def refusal_bytes(refusal: Refuse, *, hint: str | None = None) -> bytes:
    """The complete HTTP answer to a refused handshake.

    It depends on the status alone: an unknown identity and a wrong password look the same from outside.
    """
    status = HTTPStatus(refusal.status)
    body = (hint or _BODIES.get(status, f"{status.phrase}\n")).encode()
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    if status == HTTPStatus.UNAUTHORIZED:
        lines.append('WWW-Authenticate: Basic realm="OCPP", charset="UTF-8"')
    if status == HTTPStatus.UPGRADE_REQUIRED:
        lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    if refusal.retry_after_s is not None:
        lines.append(f"Retry-After: {max(1, refusal.retry_after_s)}")
    lines += [
        "Connection: close",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def normalised_head(key: str) -> bytes:
    """The one request head that the WebSocket library ever sees, made from an admitted request.

    It carries no path and no credentials, which the library would keep in memory as long as the socket lives.
    """
    return (
        "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
