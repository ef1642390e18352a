"""The tables of sessions, as queries of people's requests see them."""

from sqlalchemy import ARRAY, Boolean, Column, DateTime, Float, Integer, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = ["sample", "session", "session_event"]

_moment = DateTime(timezone=True)

session = Table(
    "session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("evse_no", Integer),
    Column("connector_no", Integer),
    Column("transaction_ref", Text, nullable=False),
    Column("start_key", Text),
    Column("token_uid", Text),
    Column("token_verdict", Text),
    Column("remote_start_id", Integer),
    Column("reservation_id", Integer),
    Column("state", Text, nullable=False),
    Column("charging_state", Text),
    Column("started_at", _moment, nullable=False),
    Column("ended_at", _moment),
    Column("first_received_at", _moment, nullable=False),
    Column("last_received_at", _moment, nullable=False),
    Column("meter_start_wh", Numeric(16, 3)),
    Column("meter_end_wh", Numeric(16, 3)),
    Column("energy_wh", Numeric(16, 3)),
    Column("power_w", Float),
    Column("soc_percent", Float),
    Column("last_sample_at", _moment),
    Column("stop_reason", Text),
    Column("offline", Boolean, nullable=False),
    Column("review", ARRAY(Text), nullable=False),
    Column("settled_at", _moment),
    Column("settled_by", Text),
    Column("settled_reason", Text),
    Column("facts", Text, nullable=False),
    Column("progress", Text),
)

session_event = Table(
    "session_event",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("kind", Text, primary_key=True),
    Column("seq_no", Integer, primary_key=True),
    Column("at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("trigger", Text),
    Column("charging_state", Text),
    Column("offline", Boolean, nullable=False),
    Column("detail", JSONB),
)

sample = Table(
    "sample",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("evse_no", Integer),
    Column("connector_no", Integer),
    Column("session_id", Uuid),
    Column("at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("context", Text),
    Column("energy_wh", Numeric(16, 3)),
    Column("power_w", Float),
    Column("current_l1_a", Float),
    Column("current_l2_a", Float),
    Column("current_l3_a", Float),
    Column("voltage_l1_v", Float),
    Column("voltage_l2_v", Float),
    Column("voltage_l3_v", Float),
    Column("soc_percent", Float),
    Column("other", Text),
)
