"""The tables of the device model, templates and drift, as queries of people's requests see them."""

from sqlalchemy import Boolean, Column, DateTime, Float, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = ["configuration_template", "device_drift", "device_model", "device_value", "device_variable"]

_moment = DateTime(timezone=True)

device_variable = Table(
    "device_variable",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("attribute", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("component_instance", Text, nullable=False),
    Column("evse_no", Integer, nullable=False),
    Column("connector_no", Integer, nullable=False),
    Column("variable", Text, nullable=False),
    Column("variable_instance", Text, nullable=False),
    Column("value", Text),
    Column("secret", Boolean, nullable=False),
    Column("mutability", Text, nullable=False),
    Column("data_type", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("min_limit", Float),
    Column("max_limit", Float),
    Column("values_list", Text),
    Column("persistent", Boolean),
    Column("constant", Boolean),
    Column("source", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", _moment, nullable=False),
    Column("reported_at", _moment, nullable=False),
)

device_value = Table(
    "device_value",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("value", Text),
    Column("source", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
)

device_model = Table(
    "device_model",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("ocpp_version", Text, nullable=False),
    Column("firmware_version", Text, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("asked_at", _moment),
    Column("read_at", _moment),
    Column("drifting", Integer, nullable=False),
    Column("compared_at", _moment),
    Column("reboot_pending", Boolean, nullable=False),
    Column("reset_on_idle", Boolean, nullable=False),
)

device_drift = Table(
    "device_drift",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("attribute", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("actual", Text),
    Column("outcome", Text, nullable=False),
    Column("template_id", Uuid, nullable=False),
    Column("since", _moment, nullable=False),
)

configuration_template = Table(
    "configuration_template",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("firmware_version", Text, nullable=False),
    Column("site_id", Uuid),
    Column("station_id", Integer),
    Column("entries", JSONB, nullable=False),
    Column("changed_at", _moment, nullable=False),
)
