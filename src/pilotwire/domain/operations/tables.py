"""The tables of tasks and commands, as queries of people's requests see them."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = ["command", "task", "task_wave"]

_moment = DateTime(timezone=True)

task = Table(
    "task",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("command", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("stop_when_failed_percent", Float),
    Column("total", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cancelled", Integer, nullable=False),
    Column("retry_of", Uuid),
    Column("wave", SmallInteger, nullable=False),
    Column("next_wave_at", _moment),
    Column("maintenance_window", JSONB(none_as_null=True)),
    Column("only_idle", Boolean, nullable=False),
    Column("expires_in_s", Integer, nullable=False),
    Column("random_delay_s", Integer, nullable=False),
    Column("pause_reason", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("finished_at", _moment),
)

command = Table(
    "command",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("wave", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("result", JSONB),
    Column("attempts", SmallInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("not_before", _moment),
    Column("expires_at", _moment, nullable=False),
    Column("sent_at", _moment),
    Column("answered_at", _moment),
    Column("follow_until", _moment),
    Column("finished_at", _moment),
)

task_wave = Table(
    "task_wave",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("success_percent", Float, nullable=False),
    Column("wait_s", Integer, nullable=False),
    Column("opened_at", _moment),
    Column("passed_at", _moment),
)
