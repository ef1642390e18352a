"""The table of what is watched, as queries of people's requests see it."""

from sqlalchemy import Column, DateTime, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = ["session_watch"]

_moment = DateTime(timezone=True)

session_watch = Table(
    "session_watch",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("target", JSONB),
    Column("target_state", Text),
    Column("target_by", Text, nullable=False),
    Column("target_reached", Text),
    Column("target_reached_at", _moment),
    Column("target_detail", Text, nullable=False),
    Column("task_id", Uuid),
    Column("attempts", SmallInteger, nullable=False),
    Column("next_at", _moment),
    Column("full_since", _moment),
    Column("full_evidence", Text),
    Column("asked_at", _moment),
    Column("said", Text),
    Column("reported", Text),
    Column("checked_at", _moment),
)
