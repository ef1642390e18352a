"""The tables of webhooks, as queries of people's requests see them."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from pilotwire.db.metadata import metadata

__all__ = ["webhook", "webhook_delivery", "webhook_event"]

_moment = DateTime(timezone=True)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", ARRAY(Text), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("previous_until", _moment),
    Column("created_at", _moment, nullable=False),
    Column("disabled_at", _moment),
    Column("disabled_reason", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", _moment),
    Column("resting_until", _moment),
    Column("delivered_at", _moment),
)

webhook_event = Table(
    "webhook_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", _moment, nullable=False),
    Column("data", Text, nullable=False),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("webhook_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", _moment, nullable=False),
    Column("last_at", _moment),
    Column("status_code", Integer),
    Column("latency_ms", Integer),
    Column("response", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("replay_of", BigInteger),
    Column("created_at", _moment, nullable=False),
)
