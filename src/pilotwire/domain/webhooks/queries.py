"""Webhooks in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.webhooks.tables import webhook, webhook_delivery, webhook_event

__all__ = [
    "delete_webhook",
    "find_delivery",
    "find_webhook",
    "insert_delivery",
    "insert_event",
    "insert_webhook",
    "list_deliveries",
    "list_webhooks",
    "replay_range",
    "update_webhook",
]

_WAITING = (
    select(func.count())
    .where(webhook_delivery.c.webhook_id == webhook.c.id, webhook_delivery.c.state == "waiting")
    .scalar_subquery()
    .label("waiting")
)
_SHOWN: tuple[Any, ...] = (*(column for column in webhook.c if column.name != "tenant_id"), _WAITING)
_DELIVERY: tuple[Any, ...] = (
    *(column for column in webhook_delivery.c if column.name != "tenant_id"),
    webhook_event.c.type,
    webhook_event.c.at,
    webhook_event.c.data,
)


async def list_webhooks(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """List webhooks in the order of their making."""
    query = select(*_SHOWN).order_by(webhook.c.id).limit(limit)
    if after is not None:
        query = query.where(webhook.c.id > after)
    return (await connection.execute(query)).all()


async def find_webhook(connection: AsyncConnection, webhook_id: UUID) -> Row[Any] | None:
    """Find a webhook."""
    found: Row[Any] | None = (
        await connection.execute(select(*_SHOWN).where(webhook.c.id == webhook_id))
    ).one_or_none()
    return found


async def insert_webhook(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add a webhook."""
    await connection.execute(insert(webhook).values(**values))


async def update_webhook(connection: AsyncConnection, webhook_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a webhook."""
    await connection.execute(update(webhook).where(webhook.c.id == webhook_id).values(**values))


async def delete_webhook(connection: AsyncConnection, webhook_id: UUID) -> None:
    """Remove a webhook with its deliveries."""
    await connection.execute(delete(webhook).where(webhook.c.id == webhook_id))


async def insert_event(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add an event."""
    await connection.execute(insert(webhook_event).values(**values))


async def insert_delivery(connection: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Add a delivery; return its number."""
    found: int = (
        await connection.execute(insert(webhook_delivery).values(**values).returning(webhook_delivery.c.id))
    ).scalar_one()
    return found


def _deliveries(webhook_id: UUID) -> Any:
    joined = webhook_delivery.join(webhook_event, webhook_event.c.id == webhook_delivery.c.event_id)
    return select(*_DELIVERY).select_from(joined).where(webhook_delivery.c.webhook_id == webhook_id)


async def list_deliveries(
    connection: AsyncConnection,
    webhook_id: UUID,
    *,
    state: str | None,
    kind: str | None,
    before: int | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List a webhook's deliveries, the newest first."""
    query = _deliveries(webhook_id).order_by(webhook_delivery.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(webhook_delivery.c.state == state)
    if kind is not None:
        query = query.where(webhook_event.c.type == kind)
    if before is not None:
        query = query.where(webhook_delivery.c.id < before)
    rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
    return rows


async def find_delivery(connection: AsyncConnection, webhook_id: UUID, delivery_id: int) -> Row[Any] | None:
    """Find a delivery of a webhook."""
    query = _deliveries(webhook_id).where(webhook_delivery.c.id == delivery_id)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


async def replay_range(
    connection: AsyncConnection,
    webhook_id: UUID,
    start: datetime,
    end: datetime,
    *,
    failed_only: bool,
    most: int,
) -> int:
    """Make a new delivery of each event of a time that the webhook was to be told of; return how many."""
    old = webhook_delivery
    last = (
        select(func.max(old.c.id).label("id"))
        .join(webhook_event, webhook_event.c.id == old.c.event_id)
        .where(old.c.webhook_id == webhook_id, webhook_event.c.at >= start, webhook_event.c.at < end)
        .where(webhook_event.c.type != "ping")
        .group_by(old.c.event_id)
    ).subquery()
    chosen = (
        select(
            old.c.tenant_id,
            old.c.webhook_id,
            old.c.event_id,
            literal("waiting"),
            literal(0),
            func.now(),
            old.c.id,
        )
        .join(last, last.c.id == old.c.id)
        .where(old.c.state == "failed" if failed_only else old.c.state != "waiting")
        .order_by(old.c.id)
        .limit(most)
    )
    columns = ["tenant_id", "webhook_id", "event_id", "state", "attempts", "next_at", "replay_of"]
    made = await connection.execute(
        insert(webhook_delivery).from_select(columns, chosen, include_defaults=False)
    )
    return int(made.rowcount)
