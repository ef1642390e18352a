"""One attempt to deliver: the body, its signature, the answer."""

from datetime import datetime

import msgspec

from pilotwire.domain.webhooks.model import Answer, Poster, PostFailed, secret_of, signature_of
from pilotwire.domain.webhooks.repository import Due

__all__ = ["attempt", "body_of"]


class _Body(msgspec.Struct):
    id: str
    type: str
    at: datetime
    data: msgspec.Raw


def body_of(event_id: object, kind: str, at: datetime, data: str) -> bytes:
    """Write an event as receivers get it: the same bytes at every attempt."""
    return msgspec.json.encode(_Body(str(event_id), kind, at, msgspec.Raw(data.encode())))


async def attempt(poster: Poster, pepper: bytes, due: Due, now: datetime) -> Answer | PostFailed:
    """Make one attempt. While the secret changes, the body is signed with the old one too."""
    generations = [due.generation]
    if due.previous_until is not None and now < due.previous_until:
        generations.append(due.generation - 1)
    secrets = [secret_of(pepper, due.webhook_id, generation) for generation in generations]
    body = body_of(due.event_id, due.type, due.at, due.data)
    headers = {
        "content-type": "application/json",
        **signature_of(secrets, str(due.event_id), now, body),
    }
    try:
        return await poster.post(due.url, body, headers)
    except PostFailed as failure:
        return failure
