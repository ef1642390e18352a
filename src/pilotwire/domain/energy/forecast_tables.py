"""The tables of forecasts and of where energy came from, as queries of people's requests see them."""

from sqlalchemy import Column, DateTime, Double, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = [
    "energy_forecast",
    "energy_mix",
    "energy_model",
    "energy_session_step",
    "energy_tenant_series",
]

_moment = DateTime(timezone=True)

energy_model = Table(
    "energy_model",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("fitted_at", _moment, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("method", Text, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("since", _moment),
    Column("until", _moment),
    Column("errors", JSONB, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

energy_forecast = Table(
    "energy_forecast",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("made_at", _moment, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
)

energy_tenant_series = Table(
    "energy_tenant_series",
    metadata,
    Column("tenant_id", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("starts_at", _moment, primary_key=True),
    Column("ends_at", _moment, nullable=False),
    Column("source", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("received_at", _moment, nullable=False),
)

energy_mix = Table(
    "energy_mix",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("starts_at", _moment, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("used_wh", Double, nullable=False),
    Column("solar_share", Double, nullable=False),
    Column("wind_share", Double, nullable=False),
    Column("battery_share", Double, nullable=False),
    Column("grid_share", Double, nullable=False),
    Column("renewable_share", Double, nullable=False),
    Column("average_g_per_kwh", Double),
    Column("marginal_g_per_kwh", Double),
    Column("store", JSONB, nullable=False),
)

energy_session_step = Table(
    "energy_session_step",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("starts_at", _moment, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("energy_wh", Double, nullable=False),
)
