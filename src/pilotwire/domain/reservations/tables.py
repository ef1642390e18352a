"""The tables of reservations, as queries of people's requests see them."""

from sqlalchemy import Column, DateTime, Integer, SmallInteger, Table, Text, Uuid

from pilotwire.db.metadata import metadata

__all__ = ["reservation", "reservation_event"]

_moment = DateTime(timezone=True)

reservation = Table(
    "reservation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("evse_no", Integer),
    Column("connector_type", Text),
    Column("token_uid", Text),
    Column("group_id", Text),
    Column("from_at", _moment, nullable=False),
    Column("until_at", _moment, nullable=False),
    Column("grace_s", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("task_id", Uuid),
    Column("next_at", _moment, nullable=False),
    Column("placed_evse_no", Integer),
    Column("placed_at", _moment),
    Column("session_id", Uuid),
    Column("ended_at", _moment),
)

reservation_event = Table(
    "reservation_event",
    metadata,
    Column("reservation_id", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("at", _moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
