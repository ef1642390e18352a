"""The tables of energy management, as queries of people's requests see them."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Float,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = [
    "energy_drive",
    "energy_external_limit",
    "energy_history",
    "energy_meter",
    "energy_override",
    "energy_peak",
    "energy_site",
    "energy_wish",
]

_moment = DateTime(timezone=True)

energy_site = Table(
    "energy_site",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("tree", JSONB, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", _moment, nullable=False),
)

energy_wish = Table(
    "energy_wish",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("energy_wh", Double),
    Column("departure_at", _moment),
    Column("priority", SmallInteger),
    Column("details", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", _moment, nullable=False),
)

energy_override = Table(
    "energy_override",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("node_id", Text),
    Column("station_id", Integer),
    Column("evse_no", Integer),
    Column("limit_a", Double),
    Column("limit_w", Double),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("expires_at", _moment, nullable=False),
    Column("ended_at", _moment),
)

energy_external_limit = Table(
    "energy_external_limit",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("evse_no", Integer, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("grid_critical", Boolean, nullable=False),
    Column("schedules", JSONB, nullable=False),
    Column("received_at", _moment, nullable=False),
)

energy_meter = Table(
    "energy_meter",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("current_l1_a", Float),
    Column("current_l2_a", Float),
    Column("current_l3_a", Float),
    Column("power_w", Float),
    Column("soc_percent", Float),
)

energy_drive = Table(
    "energy_drive",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("evse_no", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("changed_at", _moment, nullable=False),
)

energy_peak = Table(
    "energy_peak",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("peak_w", Double, nullable=False),
    Column("peak_at", _moment, nullable=False),
)

energy_history = Table(
    "energy_history",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("interval_s", Float, nullable=False),
    Column("grid_w", Float),
    Column("solar_w", Float),
    Column("wind_w", Float),
    Column("battery_w", Float),
    Column("chargers_w", Float),
    Column("base_w", Float),
    Column("battery_soc_percent", Float),
    Column("price_per_kwh", Float),
    Column("nodes", JSONB, nullable=False),
)
