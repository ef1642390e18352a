"""Identifiers and secrets."""

import os
import secrets
import time
import uuid
from datetime import datetime

__all__ = ["new_secret", "new_uuid"]

# Letters and digits that survive being read aloud and typed on a charger's small display.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def new_uuid(at: datetime | None = None) -> uuid.UUID:
    """Return a UUID of version 7: ordered by its time of making, or by `at` (RFC 9562, 5.7)."""
    nanoseconds = time.time_ns() if at is None else int(at.timestamp() * 1_000_000) * 1000
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    # The 12 bits after the version hold the fraction of the millisecond (6.2, method 3), so that order holds within it.
    value = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    value |= int.from_bytes(os.urandom(8), "big") & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def new_secret(length: int = 20) -> str:
    """Return a random secret of letters and digits; 20 of them carry 116 bits.

    OCPP 1.6 limits an AuthorizationKey to 20 bytes, 2.x a BasicAuthPassword to 40 characters (16 at least).
    """
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
