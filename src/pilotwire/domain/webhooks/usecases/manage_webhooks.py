"""Webhooks: who is told of what, with which secret, and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.webhooks import queries, repository
from pilotwire.domain.webhooks.delivering import attempt
from pilotwire.domain.webhooks.model import (
    PING,
    DeliveriesWaiting,
    Poster,
    WebhooksChanged,
    secret_of,
    shown_secret,
)

__all__ = [
    "Means",
    "change_webhook",
    "create_webhook",
    "get_delivery",
    "get_webhook",
    "list_deliveries",
    "list_webhooks",
    "ping_webhook",
    "remove_webhook",
    "replay_delivery",
    "replay_time",
    "rotate_secret",
]

_MOST_WEBHOOKS = 100
_MOST_REPLAYED = 10_000
_LONGEST_OVERLAP_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Means:
    """What webhooks are managed with; `known` are the names of all events."""

    db: Database
    bus: LocalBus
    poster: Poster
    pepper: bytes
    clock: Clock
    known: Collection[str]


async def list_webhooks(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List webhooks in the order of their making."""
    require(principal, Right.MANAGE_WEBHOOKS)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_webhooks(connection, after, limit)


async def get_webhook(db: Database, principal: Principal, webhook_id: UUID) -> Row[Any]:
    """Get a webhook.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    async with db.tenant(principal.scope) as connection:
        return await _webhook(connection, webhook_id)


async def create_webhook(
    means: Means, principal: Principal, *, url: str, events: Sequence[str], name: str = ""
) -> tuple[Row[Any], str]:
    """Add a webhook; return it, and its secret, which nobody can read again.

    Raises: Invalid for an address that may not be posted to, or an event that there is not.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    values = _checked(means, {"url": url, "events": events, "name": name})
    webhook_id = new_uuid()
    async with means.db.tenant(principal.scope) as connection:
        if len(await queries.list_webhooks(connection, None, _MOST_WEBHOOKS)) >= _MOST_WEBHOOKS:
            raise Invalid(
                say("webhooks_enough", "there are {most} webhooks; remove one first", most=_MOST_WEBHOOKS)
            )
        await queries.insert_webhook(
            connection, {"id": webhook_id, "tenant_id": principal.tenant_id, **values}
        )
        await keep_audit(connection, principal, "webhook.created", str(webhook_id), after=values)
        row = await _webhook(connection, webhook_id)
    means.bus.publish(WebhooksChanged(principal.tenant_id))
    return row, shown_secret(secret_of(means.pepper, webhook_id, row.generation))


async def change_webhook(
    means: Means, principal: Principal, webhook_id: UUID, changes: Mapping[str, Any]
) -> Row[Any]:
    """Change a webhook's `url`, `events`, `name` or `enabled`; enabling it sends what waits.

    Raises: NotFound, Invalid.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    values = _checked(means, changes)
    enabled = values.pop("enabled", None)
    async with means.db.tenant(principal.scope) as connection:
        before = await _webhook(connection, webhook_id)
        if enabled is True and before.disabled_at is not None:
            values |= {
                "disabled_at": None, "disabled_reason": "", "failures": 0, "failing_since": None,
                "resting_until": None,
            }  # fmt: skip
        elif enabled is False and before.disabled_at is None:
            values |= {"disabled_at": means.clock(), "disabled_reason": f"by {principal.name}"}
        if not values:
            return before
        await queries.update_webhook(connection, webhook_id, values)
        await keep_audit(
            connection,
            principal,
            "webhook.changed",
            str(webhook_id),
            before={key: getattr(before, key) for key in values},
            after=values,
        )
        row = await _webhook(connection, webhook_id)
    _tell(means, principal)
    return row


async def remove_webhook(means: Means, principal: Principal, webhook_id: UUID) -> None:
    """Remove a webhook with the log of its deliveries.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    async with means.db.tenant(principal.scope) as connection:
        before = await _webhook(connection, webhook_id)
        await queries.delete_webhook(connection, webhook_id)
        await keep_audit(
            connection, principal, "webhook.removed", str(webhook_id), before={"url": before.url}
        )
    means.bus.publish(WebhooksChanged(principal.tenant_id))


async def rotate_secret(
    means: Means, principal: Principal, webhook_id: UUID, keep_previous_s: int
) -> tuple[Row[Any], str]:
    """Give a webhook a new secret; deliveries are signed with the old one too for `keep_previous_s`.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    until = means.clock() + timedelta(seconds=min(keep_previous_s, _LONGEST_OVERLAP_S))
    async with means.db.tenant(principal.scope) as connection:
        before = await _webhook(connection, webhook_id)
        values = {"generation": before.generation + 1, "previous_until": until}
        await queries.update_webhook(connection, webhook_id, values)
        await keep_audit(
            connection, principal, "webhook.secret_rotated", str(webhook_id), after={"previous_until": until}
        )
        row = await _webhook(connection, webhook_id)
    return row, shown_secret(secret_of(means.pepper, webhook_id, row.generation))


async def ping_webhook(means: Means, principal: Principal, webhook_id: UUID) -> Row[Any]:
    """Send a test event now, also to a disabled webhook, and wait for the answer; return the delivery.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    now = means.clock()
    event_id = new_uuid(now)
    async with means.db.tenant(principal.scope) as connection:
        await _webhook(connection, webhook_id)
        event = {"id": event_id, "tenant_id": principal.tenant_id, "type": PING, "at": now, "data": "{}"}
        await queries.insert_event(connection, event)
        # Not for the job: its time comes when this process is lost, and then once more is no harm.
        delivery_id = await queries.insert_delivery(
            connection,
            {
                "tenant_id": principal.tenant_id,
                "webhook_id": webhook_id,
                "event_id": event_id,
                "state": "waiting",
                "next_at": now + timedelta(minutes=5),
            },
        )
    # The row has passed the tenant's wall above.
    async with means.db.service.acquire() as connection:
        due = await repository.due_of(connection, delivery_id, now)
    outcome = await attempt(means.poster, means.pepper, due, now)
    async with means.db.service.acquire() as connection:
        await repository.keep_outcome(connection, due, outcome, means.clock(), timedelta.max)
    return await get_delivery(means.db, principal, webhook_id, delivery_id)


async def list_deliveries(
    db: Database,
    principal: Principal,
    webhook_id: UUID,
    *,
    state: str | None = None,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List a webhook's deliveries, the newest first.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    async with db.tenant(principal.scope) as connection:
        await _webhook(connection, webhook_id)
        return await queries.list_deliveries(
            connection, webhook_id, state=state, kind=kind, before=before, limit=limit
        )


async def get_delivery(db: Database, principal: Principal, webhook_id: UUID, delivery_id: int) -> Row[Any]:
    """Get a delivery with its event.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    async with db.tenant(principal.scope) as connection:
        row = await queries.find_delivery(connection, webhook_id, delivery_id)
    if row is None:
        raise NotFound(f"the webhook has no delivery {delivery_id}")
    return row


async def replay_delivery(means: Means, principal: Principal, webhook_id: UUID, delivery_id: int) -> Row[Any]:
    """Make a new delivery of the same event, with the same id; return it.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    async with means.db.tenant(principal.scope) as connection:
        old = await queries.find_delivery(connection, webhook_id, delivery_id)
        if old is None:
            raise NotFound(f"the webhook has no delivery {delivery_id}")
        new_id = await queries.insert_delivery(
            connection,
            {
                "tenant_id": principal.tenant_id,
                "webhook_id": webhook_id,
                "event_id": old.event_id,
                "state": "waiting",
                "next_at": means.clock(),
                "replay_of": delivery_id,
            },
        )
        await keep_audit(
            connection, principal, "webhook.replayed", str(webhook_id), after={"delivery": delivery_id}
        )
    means.bus.publish(DeliveriesWaiting())
    return await get_delivery(means.db, principal, webhook_id, new_id)


async def replay_time(
    means: Means,
    principal: Principal,
    webhook_id: UUID,
    start: datetime,
    end: datetime,
    *,
    failed_only: bool,
) -> int:
    """Make new deliveries of the events of a time that the webhook was to be told of; return how many.

    Raises: NotFound; Invalid when the time ends before it begins.
    """
    require(principal, Right.MANAGE_WEBHOOKS)
    if start >= end:
        raise Invalid(say("replay_backwards", "the time to replay ends before it begins"))
    async with means.db.tenant(principal.scope) as connection:
        await _webhook(connection, webhook_id)
        made = await queries.replay_range(
            connection, webhook_id, start, end, failed_only=failed_only, most=_MOST_REPLAYED
        )
        await keep_audit(
            connection,
            principal,
            "webhook.replayed",
            str(webhook_id),
            after={"from": start, "to": end, "deliveries": made},
        )
    means.bus.publish(DeliveriesWaiting())
    return made


async def _webhook(connection: Any, webhook_id: UUID) -> Row[Any]:
    row = await queries.find_webhook(connection, webhook_id)
    if row is None:
        raise NotFound(say("webhook_unknown", "there is no webhook {webhook}", webhook=webhook_id))
    return row


def _checked(means: Means, values: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(values)
    if "url" in values and (why := means.poster.refusal(values["url"])) is not None:
        raise Invalid(f"url: {why}")
    if "events" in values:
        events = sorted(set(values["events"]))
        unknown = [event for event in events if event not in means.known]
        if unknown or not events:
            what = f"there is no event '{unknown[0][:60]}'" if unknown else "name one event at least"
            raise Invalid(f"events: {what}; there are {', '.join(sorted(means.known))}")
        checked["events"] = events
    return checked


def _tell(means: Means, principal: Principal) -> None:
    means.bus.publish(WebhooksChanged(principal.tenant_id))
    means.bus.publish(DeliveriesWaiting())
