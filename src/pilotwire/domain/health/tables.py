"""The tables of health, as queries of people's requests see them."""

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, Numeric, Table, Text, Uuid

from pilotwire.db.metadata import metadata

__all__ = ["connector_outage", "excluded_downtime", "plug_in", "station_connection", "station_day"]

_moment = DateTime(timezone=True)

station_connection = Table(
    "station_connection",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("connected_at", _moment, nullable=False),
    Column("disconnected_at", _moment),
)

connector_outage = Table(
    "connector_outage",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("evse_no", Integer, nullable=False),
    Column("connector_no", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", _moment, nullable=False),
    Column("ended_at", _moment),
)

plug_in = Table(
    "plug_in",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("evse_no", Integer, nullable=False),
    Column("connector_no", Integer, nullable=False),
    Column("plugged_at", _moment, nullable=False),
    Column("unplugged_at", _moment),
)

excluded_downtime = Table(
    "excluded_downtime",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid),
    Column("station_id", Integer),
    Column("evse_no", Integer),
    Column("started_at", _moment, nullable=False),
    Column("ended_at", _moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
)

station_day = Table(
    "station_day",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("repaired", BigInteger, nullable=False),
    Column("connects", Integer, nullable=False),
    Column("plug_ins", Integer, nullable=False),
    Column("plug_ins_charged", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("sessions_successful", Integer, nullable=False),
    Column("energy_wh", Numeric(16, 3), nullable=False),
)
