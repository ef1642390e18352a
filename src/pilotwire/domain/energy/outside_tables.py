"""The tables of what comes to a site from outside: limits, demand response, series; and of what its batteries are told."""

from sqlalchemy import Boolean, Column, DateTime, Double, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = [
    "energy_battery_control",
    "energy_dr_event",
    "energy_grid_limit",
    "energy_meter_source",
    "energy_series",
    "energy_vtn",
]

_moment = DateTime(timezone=True)

energy_grid_limit = Table(
    "energy_grid_limit",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("limit_w", Double),
    Column("starts_at", _moment, nullable=False),
    Column("ends_at", _moment),
    Column("silent_after_s", Double),
    Column("failsafe_w", Double),
    Column("failsafe_for_s", Double),
    Column("reason", Text, nullable=False),
    Column("heard_at", _moment, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", _moment, nullable=False),
)

energy_vtn = Table(
    "energy_vtn",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("token_url", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("client_secret", LargeBinary, nullable=False),
    Column("scope", Text, nullable=False),
    Column("program", Text, nullable=False),
    Column("ven_name", Text, nullable=False),
    Column("levels_w", JSONB, nullable=False),
    Column("poll_s", Integer, nullable=False),
    Column("opted_in", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("polled_at", _moment),
    Column("error", Text, nullable=False),
)

energy_dr_event = Table(
    "energy_dr_event",
    metadata,
    Column("vtn_id", Uuid, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("program_id", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("starts_at", _moment, nullable=False),
    Column("ends_at", _moment),
    Column("opted_in", Boolean),
    Column("withdrawn_at", _moment),
    Column("received_at", _moment, nullable=False),
    Column("used_wh", Double),
    Column("baseline_wh", Double),
    Column("reported_at", _moment),
)

energy_series = Table(
    "energy_series",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("starts_at", _moment, primary_key=True),
    Column("ends_at", _moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("value", Double, nullable=False),
    Column("received_at", _moment, nullable=False),
)

energy_meter_source = Table(
    "energy_meter_source",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("meter", Text, nullable=False),
    Column("source", JSONB, nullable=False),
    Column("password", LargeBinary),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("read_at", _moment),
    Column("error", Text, nullable=False),
)

energy_battery_control = Table(
    "energy_battery_control",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("battery", Text, nullable=False),
    Column("control", JSONB, nullable=False),
    Column("password", LargeBinary),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("told_at", _moment),
    Column("error", Text, nullable=False),
)
