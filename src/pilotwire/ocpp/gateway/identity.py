"""Which station a request path may mean.

Chargers build the path from what an installer typed: with the prefix twice, with a whole URL in it,
percent-encoded once or twice, with a trailing slash or the serial number behind. Every reading is a
candidate; the doorkeeper knows which of them exists.

Spec: OCPP-J 1.6 3.1.1, OCPP 2.0.1 part 4 3.1.1: the last part of the path is the percent-encoded identity.
"""

from urllib.parse import unquote_to_bytes

MAX_PATH_CHARS = 1024
MAX_IDENTITY_CHARS = 128
MAX_EXACT_CANDIDATES = 8

# Path words of other servers and of installers' guides, case-folded: never an identity by themselves.
SERVICE_WORDS = frozenset(
    {
        "ocpp", "ocppj", "ocpp-j", "ocpp16", "ocpp1.6", "ocpp16j", "ocpp1.6j", "ocpp201", "ocpp2.0.1",
        "ocpp21", "ocpp2.1", "ws", "wss", "websocket", "websockets", "steve", "centralsystemservice",
        "centralsystem", "csms", "cpms", "services", "chargepoint", "chargepoints",
    }
)  # fmt: skip


def identity_candidates(raw_path: str, prefix: str = "/ocpp") -> tuple[str, ...]:
    """The identities that a path may mean: exact spellings, most likely first, then case-folded ones.

    Empty when the path holds no identity, is too long or carries control characters.
    """
    if len(raw_path) > MAX_PATH_CHARS:
        return ()
    path = raw_path.partition("?")[0].partition("#")[0]
    exact: list[str] = []
    for text in _decodings(path):
        for candidate in _readings(_without_url(text), _segments(prefix)):
            if candidate not in exact and _is_acceptable(candidate):
                exact.append(candidate)
    del exact[MAX_EXACT_CANDIDATES:]
    folded = [c.casefold() for c in exact]
    return tuple(dict.fromkeys(exact + folded))


def _decodings(path: str) -> list[str]:
    """Percent-decoded once, then twice where an encoded text was encoded again, then as it was sent."""
    texts: list[str] = []
    current = path
    for _ in range(2):
        decoded = unquote_to_bytes(current.encode("utf-8", "surrogateescape"))
        try:
            current = decoded.decode("utf-8")
        except UnicodeDecodeError:
            break
        if not current.isprintable():
            return []  # a control character, however it was encoded
        texts.append(current)
    texts.append(path)
    return list(dict.fromkeys(texts))


def _without_url(text: str) -> str:
    """The path part of the last URL in the text, or the text itself."""
    head, separator, rest = text.rpartition("://")
    if not separator:
        # A normalising client or proxy makes one slash of two.
        for scheme in ("wss:/", "ws:/", "https:/", "http:/"):
            position = text.lower().rfind(scheme)
            if position >= 0:
                head, rest = text[:position], text[position + len(scheme) :]
                break
        else:
            return text
    _host, slash, path = rest.partition("/")
    return path if slash else head


def _segments(path: str) -> list[str]:
    return [part for part in path.split("/") if part.strip()]


def _readings(path: str, prefix: list[str]) -> list[str]:
    segments = _segments(path)
    under_prefix = bool(prefix) and [s.casefold() for s in segments[: len(prefix)]] == [
        p.casefold() for p in prefix
    ]
    rest = segments[len(prefix) :] if under_prefix else segments
    while rest and rest[0].casefold() in SERVICE_WORDS:
        rest = rest[1:]
        under_prefix = True
    if not rest:
        return []
    if len(rest) == 1:
        return rest
    pair = f"{rest[-2]}/{rest[-1]}"
    if under_prefix:
        # /ocpp/ID/SERIAL, but also /ocpp/tenant/ID
        return [rest[0], rest[-1], "/".join(rest)]
    return [rest[-1], pair]


def _is_acceptable(candidate: str) -> bool:
    return (
        0 < len(candidate) <= MAX_IDENTITY_CHARS
        and candidate.isprintable()
        and candidate.strip() == candidate
        and candidate.casefold() not in SERVICE_WORDS
    )
