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
    milliseconds = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def new_secret(length: int = 20) -> str:
    """Return a random secret of letters and digits; 20 of them carry 116 bits.

    OCPP 1.6 limits an AuthorizationKey to 20 bytes, 2.x a BasicAuthPassword to 40 characters (16 at least).
    """
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
