"""Signing, retrying and giving up: what every delivery follows."""

import base64
import hashlib
import hmac
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from pilotwire.core.errors import Unavailable

__all__ = [
    "MOST_ATTEMPTS",
    "PING",
    "Answer",
    "DeliveriesWaiting",
    "PostFailed",
    "Poster",
    "WebhooksChanged",
    "delay_after",
    "secret_of",
    "shown_secret",
    "signature_of",
]

PING = "ping"
"""The event of a test: sent at once, once, and told to nobody else."""

# From seconds to hours: a restart of the receiver costs little, a lost weekend loses nothing.
_DELAYS_S = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800, 28_800, 43_200, 43_200)
MOST_ATTEMPTS = len(_DELAYS_S) + 1
_JITTER = 0.2


class WebhooksChanged(msgspec.Struct, frozen=True):
    """Somebody added, changed or removed a webhook."""

    tenant_id: int


class DeliveriesWaiting(msgspec.Struct, frozen=True):
    """There may be deliveries to make now."""


class Answer(msgspec.Struct, frozen=True):
    """What a receiver answered. `excerpt` is the beginning of its body, `latency_ms` how long it took."""

    status_code: int
    latency_ms: int
    excerpt: str = ""

    @property
    def taken(self) -> bool:
        """Whether the delivery has arrived. A redirect is not followed, so it has not."""
        return 200 <= self.status_code < 300


class PostFailed(Unavailable):
    """The receiver did not answer, or may not be asked."""

    code = "receiver_failed"

    def __init__(self, detail: str, latency_ms: int | None = None) -> None:
        super().__init__(detail)
        self.latency_ms = latency_ms


class Poster(Protocol):
    """Sends a body to an address of somebody else."""

    def refusal(self, url: str) -> str | None:
        """Say why an address can never be posted to; None: it may be tried."""
        ...

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post once, without following redirects.

        Raises: PostFailed.
        """
        ...


def delay_after(attempts: int, spread: float | None = None) -> timedelta | None:
    """Give the pause after so many failed attempts, None when it was the last; `spread` is from -1 to 1."""
    if attempts > len(_DELAYS_S):
        return None
    part = random.uniform(-1, 1) if spread is None else spread  # noqa: S311 - it spreads load, it hides nothing
    return timedelta(seconds=_DELAYS_S[max(attempts, 1) - 1] * (1 + _JITTER * part))


def secret_of(pepper: bytes, webhook_id: UUID, generation: int) -> bytes:
    """Give a webhook's secret: derived, so that no table holds it. The next generation is another one."""
    return hmac.new(
        pepper, b"webhook" + webhook_id.bytes + generation.to_bytes(4, "big"), hashlib.sha256
    ).digest()


def shown_secret(secret: bytes) -> str:
    """Write a secret as receivers' libraries take it (Standard Webhooks)."""
    return "whsec_" + base64.b64encode(secret).decode()


def signature_of(secrets: Sequence[bytes], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Give the headers that prove where a body comes from and when it was sent, by each of the secrets.

    Spec: Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    proofs = [
        "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(proofs),
    }
