"""The tables of stations, as queries of people's requests see them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pilotwire.db.metadata import metadata

__all__ = [
    "connector",
    "connector_status",
    "deviation_count",
    "enrolment_key",
    "frame",
    "security_event",
    "site",
    "station",
    "station_group",
    "station_group_member",
    "station_note",
    "station_presence",
    "station_report",
]

_moment = DateTime(timezone=True)

site = Table(
    "site",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("time_zone", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("access_notes", Text, nullable=False),
    Column("opening_hours", JSONB(none_as_null=True)),
    Column("contacts", JSONB, nullable=False),
    Column("grid_connection", JSONB(none_as_null=True)),
    Column("tags", ARRAY(Text), nullable=False),
)

station = Table(
    "station",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("identity", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("site_id", Uuid),
    Column("admission", Text, nullable=False),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("next_secret_digest", LargeBinary),
    Column("minimum_security_profile", SmallInteger, nullable=False),
    Column("enrolled_with", Uuid),
    Column("ocpp_version", Text),
    Column("vendor", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("serial_number", Text, nullable=False),
    Column("firmware_version", Text, nullable=False),
    Column("iccid", Text, nullable=False),
    Column("imsi", Text, nullable=False),
    Column("booted_at", _moment),
    Column("boot_reason", Text, nullable=False),
    Column("firmware_status", Text, nullable=False),
    Column("log_status", Text, nullable=False),
    Column("quirk_switches", JSONB, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
)

station_group = Table(
    "station_group",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
)

station_group_member = Table(
    "station_group_member",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
)

station_note = Table(
    "station_note",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
)

station_presence = Table(
    "station_presence",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("connection_epoch", BigInteger, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("connected", Boolean, nullable=False),
    Column("connected_at", _moment),
    Column("disconnected_at", _moment),
    Column("last_seen_at", _moment),
    Column("remote_address", Text, nullable=False),
    Column("security_profile", SmallInteger, nullable=False),
)

connector = Table(
    "connector",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("evse_no", Integer, primary_key=True),
    Column("connector_no", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reported_status", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("info", Text, nullable=False),
    Column("status_at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
)

connector_status = Table(
    "connector_status",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("evse_no", Integer, nullable=False),
    Column("connector_no", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("status_at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
)

enrolment_key = Table(
    "enrolment_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("site_id", Uuid),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("admit", Boolean, nullable=False),
    Column("maximum_uses", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("expires_at", _moment),
    Column("revoked_at", _moment),
)

security_event = Table(
    "security_event",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", _moment, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("technical_info", Text, nullable=False),
)

station_report = Table(
    "station_report",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("content", JSONB, nullable=False),
)

deviation_count = Table(
    "deviation_count",
    metadata,
    Column("tenant_id", Integer, primary_key=True),
    Column("vendor", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", _moment, nullable=False),
    Column("last_station_id", Integer, nullable=False),
)

frame = Table(
    "frame",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("answered_at", _moment),
    Column("direction", SmallInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("response", Text),
    Column("deviations", Text),
)
