"""The tables of local lists, as queries of people's requests see them."""

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid

from pilotwire.db.metadata import metadata

__all__ = ["local_list", "local_list_content", "local_list_rule"]

_moment = DateTime(timezone=True)

local_list = Table(
    "local_list",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", LargeBinary),
    Column("entries", Integer, nullable=False),
    Column("wanted_digest", LargeBinary),
    Column("wanted_entries", Integer, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("most_entries", Integer, nullable=False),
    Column("items_per_message", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", _moment),
    Column("checked_at", _moment),
    Column("sent_at", _moment),
)

local_list_content = Table(
    "local_list_content",
    metadata,
    Column("tenant_id", Integer, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("entries", Text, nullable=False),
)

local_list_rule = Table(
    "local_list_rule",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid),
    Column("station_id", Integer),
    Column("kept", Boolean, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", _moment, nullable=False),
)
