"""The table of tokens."""

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid

from pilotwire.db.metadata import metadata

__all__ = ["token"]

token = Table(
    "token",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("uid", Text, nullable=False),
    Column("folded_uid", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("group_id", Text),
    Column("holder", Text, nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
