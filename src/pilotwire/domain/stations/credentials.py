"""Stations' secrets: long, random, kept as keyed digests.

A station's secret has at least 16 random characters, so a fast keyed digest is as good as a slow password hash,
and cheap enough to be checked before the WebSocket upgrade.
"""

import hashlib
import hmac

from pilotwire.core.errors import Invalid
from pilotwire.core.texts import say

__all__ = ["MINIMUM_SECRET_LENGTH", "checked_secret", "digest_secret", "matches", "spellings"]

MINIMUM_SECRET_LENGTH = 16
_MAXIMUM_SECRET_LENGTH = 64


def digest_secret(pepper: bytes, secret: bytes) -> bytes:
    """Return the keyed digest of a secret; `pepper` is the server's own key."""
    return hashlib.blake2b(secret, key=pepper, digest_size=32).digest()


def matches(pepper: bytes, presented: bytes, *digests: bytes | None) -> int | None:
    """Return the place of the digest that a presented secret fits, or None.

    Every spelling is compared with every digest in constant time, so that the time tells nothing.
    """
    found: int | None = None
    for spelling in spellings(presented):
        digest = digest_secret(pepper, spelling)
        for place, known in enumerate(digests):
            if known is not None and hmac.compare_digest(digest, known) and found is None:
                found = place
    return found


def spellings(presented: bytes) -> tuple[bytes, ...]:
    """Give the ways in which stations send the same secret: as it is, and as hexadecimal text or its bytes.

    OCPP 1.6's AuthorizationKey is hexadecimal in the specification's first editions; stations send either form.
    """
    others = [presented]
    try:
        others.append(bytes.fromhex(presented.decode("ascii")))
    except (UnicodeDecodeError, ValueError):
        others.append(presented.hex().encode())
    return tuple(others)


def checked_secret(secret: str) -> str:
    """Return a secret that an operator chose, if it is good enough.

    Raises: Invalid when it is too short, too long or has characters that stations cannot type.
    """
    if not MINIMUM_SECRET_LENGTH <= len(secret) <= _MAXIMUM_SECRET_LENGTH:
        raise Invalid(
            say(
                "station_password_length",
                "a station's password has {least} to {most} characters, this one {count};"
                " leave it out to have one generated",
                least=MINIMUM_SECRET_LENGTH,
                most=_MAXIMUM_SECRET_LENGTH,
                count=len(secret),
            )
        )
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid(
            say(
                "station_password_characters",
                "a station's password has printable ASCII characters only, without blanks",
            )
        )
    return secret
