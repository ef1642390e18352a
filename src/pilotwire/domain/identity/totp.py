"""Codes of authenticator apps. Spec: RFC 6238 with SHA-1, six digits and steps of 30 s, which every app knows."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

__all__ = [
    "STEP_S",
    "code_at",
    "new_recovery_codes",
    "new_totp_secret",
    "plain_code",
    "provisioning",
    "step_of",
]

STEP_S = 30
_DIGITS = 6
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_SLACK = 1  # steps that a clock may be off


def new_totp_secret() -> bytes:
    """Return a new secret of 160 bits, as long as the digest (RFC 4226, 4)."""
    return secrets.token_bytes(20)


def provisioning(secret: bytes, account: str, issuer: str = "Pilotwire") -> tuple[str, str]:
    """Give the secret as people type it, and the address that an app reads from a QR code."""
    shown = base64.b32encode(secret).decode().rstrip("=")
    query = urlencode({"secret": shown, "issuer": issuer, "digits": _DIGITS, "period": STEP_S})
    return shown, f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"


def code_at(secret: bytes, step: int) -> str:
    """Give the code of a step of time. Spec: RFC 4226, 5.3."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """Tell at which step, near this moment, the code is right; None when it is not."""
    current = int(now.timestamp()) // STEP_S
    found = None
    for step in range(current - _SLACK, current + _SLACK + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), plain_code(code).encode()):
            found = step
    return found


def plain_code(code: str) -> str:
    """Take out what people type between the parts of a code."""
    return "".join(code.split()).replace("-", "").lower()


def new_recovery_codes(count: int = 10) -> list[str]:
    """Return codes for the day on which the phone is lost; each carries 49 bits and is good once."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(2)) for _ in range(count)
    ]
