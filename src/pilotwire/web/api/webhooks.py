"""Webhooks: `/webhooks`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path
from pydantic import Field

from pilotwire.core.errors import Invalid, Unavailable
from pilotwire.domain.webhooks.delivering import body_of
from pilotwire.domain.webhooks.usecases import manage_webhooks
from pilotwire.web.api.fields import Given, Line, Moment, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page
from pilotwire.web.services import WebServices
from pilotwire.web.told import CATALOGUE

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["webhooks"])

DeliveryId = Annotated[int, Path(ge=1, le=2**62)]
State = Literal["waiting", "delivered", "failed"]
Url = Annotated[str, Field(max_length=2000, examples=["https://example.com/hooks/pilotwire"])]
Events = Annotated[list[str], Field(min_length=1, max_length=100, examples=[["session.ended"]])]


class NewWebhook(Given):
    """A webhook to be added."""

    url: Url
    events: Events
    name: Line = ""


class WebhookChanges(Given):
    """What is to change; fields that are left out stay."""

    url: Url = ""
    events: Events = Field([])
    name: Line = ""
    enabled: bool = True


class Webhook(Shown):
    """Who is told of what. `disabled_reason` says why it is told no more."""

    id: UUID
    name: str
    url: str
    events: list[str]
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: str
    failures: int = Field(description="How many attempts have failed since the last that came through.")
    failing_since: datetime | None
    delivered_at: datetime | None = Field(description="When a delivery last came through.")
    waiting: int = Field(description="How many deliveries wait.")
    previous_secret_until: datetime | None = Field(
        description="Until then deliveries are signed with the secret before too."
    )
    created_at: datetime


class WebhookWithSecret(Webhook):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(examples=["whsec_..."])


class Rotation(Given):
    """How long the secret before stays good besides the new one."""

    keep_previous_s: int = Field(86_400, ge=0, le=7 * 86_400)


class EventType(Shown):
    """An event that a webhook can ask for."""

    type: str
    description: str


class EventTypes(Shown):
    """All of them."""

    items: list[EventType]


class Delivery(Shown):
    """An event on its way to a receiver, and what came of the last attempt."""

    id: int
    event_id: UUID
    type: str
    at: datetime = Field(description="When it happened.")
    state: State
    attempts: int
    next_at: datetime | None = Field(description="When it is tried next.")
    last_at: datetime | None
    status_code: int | None
    latency_ms: int | None
    response: str = Field(description="The beginning of the answer's body.")
    error: str
    replay_of: int | None
    created_at: datetime


class DeliveryWithBody(Delivery):
    """A delivery with what is sent."""

    body: dict[str, Any]


class Replay(Given):
    """Which time to replay: events from `from` on, before `to`."""

    from_: Moment = Field(alias="from")
    to: Moment
    failed_only: bool = Field(True, description="Only what did not arrive; else everything again.")


class Replayed(Shown):
    """How many deliveries were made."""

    deliveries: int


def _means(services: WebServices) -> manage_webhooks.Means:
    if services.poster is None:
        raise Unavailable("this process does not deliver to webhooks")
    return manage_webhooks.Means(
        services.db, services.bus, services.poster, services.pepper, services.clock, CATALOGUE
    )


def _fields(row: Any) -> dict[str, Any]:
    own = {"enabled", "previous_secret_until"}
    return {
        **{name: getattr(row, name) for name in Webhook.model_fields if name not in own},
        "enabled": row.disabled_at is None,
        "previous_secret_until": row.previous_until,
    }


def _show(row: Any) -> Webhook:
    return Webhook(**_fields(row))


def _delivery(row: Any) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in Delivery.model_fields}
    return {**values, "next_at": row.next_at if row.state == "waiting" else None}


def _show_delivery(row: Any) -> Delivery:
    return Delivery(**_delivery(row))


def _show_whole(row: Any) -> DeliveryWithBody:
    body = msgspec.json.decode(body_of(row.event_id, row.type, row.at, row.data))
    return DeliveryWithBody(**_delivery(row), body=body)


@router.get("/webhook-events")
async def list_webhook_events(asking: Asking) -> EventTypes:
    """List the events that a webhook can ask for."""
    del asking
    return EventTypes(items=[EventType(type=name, description=text) for name, text in CATALOGUE.items()])


@router.post("/webhooks", status_code=201)
async def create_webhook(asking: Asking, services: Services, body: NewWebhook) -> WebhookWithSecret:
    """Add a webhook. Its secret is in the answer, and nowhere else."""
    row, secret = await manage_webhooks.create_webhook(
        _means(services), asking, url=body.url, events=body.events, name=body.name
    )
    return WebhookWithSecret(**_fields(row), secret=secret)


@router.get("/webhooks")
async def list_webhooks(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[Webhook]:
    """List webhooks in the order of their making."""
    rows = await manage_webhooks.list_webhooks(services.db, asking, decode_cursor(cursor, UUID), limit + 1)
    return make_page(rows, limit, _show, lambda row: (row.id,))


@router.get("/webhooks/{webhook_id}")
async def get_webhook(asking: Asking, services: Services, webhook_id: UUID) -> Webhook:
    """Get a webhook."""
    return _show(await manage_webhooks.get_webhook(services.db, asking, webhook_id))


@router.patch("/webhooks/{webhook_id}")
async def change_webhook(
    asking: Asking, services: Services, webhook_id: UUID, body: WebhookChanges
) -> Webhook:
    """Change a webhook. Enabling one that was disabled sends what waits."""
    changes = body.model_dump(exclude_unset=True)
    return _show(await manage_webhooks.change_webhook(_means(services), asking, webhook_id, changes))


@router.delete("/webhooks/{webhook_id}", status_code=204)
async def remove_webhook(asking: Asking, services: Services, webhook_id: UUID) -> None:
    """Remove a webhook with the log of its deliveries."""
    await manage_webhooks.remove_webhook(_means(services), asking, webhook_id)


@router.post("/webhooks/{webhook_id}/rotate-secret")
async def rotate_webhook_secret(
    asking: Asking, services: Services, webhook_id: UUID, body: Rotation
) -> WebhookWithSecret:
    """Give a webhook a new secret. For a time deliveries carry a signature by each of the two."""
    row, secret = await manage_webhooks.rotate_secret(
        _means(services), asking, webhook_id, body.keep_previous_s
    )
    return WebhookWithSecret(**_fields(row), secret=secret)


@router.post("/webhooks/{webhook_id}/ping")
async def ping_webhook(asking: Asking, services: Services, webhook_id: UUID) -> DeliveryWithBody:
    """Send a test event now, also to a disabled webhook, and wait for the answer."""
    return _show_whole(await manage_webhooks.ping_webhook(_means(services), asking, webhook_id))


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    asking: Asking,
    services: Services,
    webhook_id: UUID,
    state: State | Literal[""] = "",
    type: str = "",  # noqa: A002 - the parameter's name in the API
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Delivery]:
    """List a webhook's deliveries, the newest first."""
    rows = await manage_webhooks.list_deliveries(
        services.db,
        asking,
        webhook_id,
        state=state or None,
        kind=type or None,
        before=_before(cursor),
        limit=limit + 1,
    )
    return make_page(rows, limit, _show_delivery, lambda row: (str(row.id),))


@router.get("/webhooks/{webhook_id}/deliveries/{delivery_id}")
async def get_delivery(
    asking: Asking, services: Services, webhook_id: UUID, delivery_id: DeliveryId
) -> DeliveryWithBody:
    """Get a delivery with what is sent."""
    return _show_whole(await manage_webhooks.get_delivery(services.db, asking, webhook_id, delivery_id))


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", status_code=202)
async def replay_delivery(
    asking: Asking, services: Services, webhook_id: UUID, delivery_id: DeliveryId
) -> DeliveryWithBody:
    """Deliver an event once more, with the same id."""
    row = await manage_webhooks.replay_delivery(_means(services), asking, webhook_id, delivery_id)
    return _show_whole(row)


@router.post("/webhooks/{webhook_id}/replay", status_code=202)
async def replay_time(asking: Asking, services: Services, webhook_id: UUID, body: Replay) -> Replayed:
    """Deliver the events of a time once more, each with its own id; at most 10,000 at once."""
    made = await manage_webhooks.replay_time(
        _means(services), asking, webhook_id, body.from_, body.to, failed_only=body.failed_only
    )
    return Replayed(deliveries=made)


def _before(cursor: str | None) -> int | None:
    text = decode_cursor(cursor, str)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid("the cursor is not one of this list: take it from `next` of the page before")
    return int(text)
