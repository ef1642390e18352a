"""Signatures by the published example, and pauses that grow."""

import base64
import itertools
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from pilotwire.domain.webhooks.model import (
    MOST_ATTEMPTS,
    delay_after,
    secret_of,
    shown_secret,
    signature_of,
)


def test_the_signature_of_the_published_example() -> None:
    """The example of the Standard Webhooks libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signature_of([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_give_two_proofs() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    both = signature_of([b"new", b"old"], "1", at, b"{}")["webhook-signature"].split(" ")
    assert both == [
        signature_of([secret], "1", at, b"{}")["webhook-signature"] for secret in (b"new", b"old")
    ]


def test_secrets_differ_by_webhook_and_generation() -> None:
    one, other = uuid4(), uuid4()
    secrets = {secret_of(b"pepper", each, generation) for each in (one, other) for generation in (1, 2)}
    assert len(secrets) == 4
    assert secret_of(b"pepper", one, 1) in secrets
    assert shown_secret(b"\0" * 32).startswith("whsec_AAAA")


def test_pauses_grow_from_seconds_to_hours_and_end() -> None:
    pauses = [delay_after(attempts, 0) for attempts in range(1, MOST_ATTEMPTS)]
    assert pauses[0] == timedelta(seconds=5)
    assert all(
        one is not None and other is not None and one <= other for one, other in itertools.pairwise(pauses)
    )
    assert timedelta(days=2) < sum((pause for pause in pauses if pause), timedelta(0)) < timedelta(days=4)
    assert delay_after(MOST_ATTEMPTS) is None


def test_pauses_are_spread() -> None:
    low, high = delay_after(3, -1), delay_after(3, 1)
    assert low is not None
    assert high is not None
    assert (low, high) == (timedelta(seconds=96), timedelta(seconds=144))
    assert len({delay_after(3) for _ in range(20)}) > 1
