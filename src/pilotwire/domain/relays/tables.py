"""The tables of relays, as queries of people's requests see them."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid

from pilotwire.db.metadata import metadata

__all__ = ["relay_message", "relay_transaction", "station_relay"]

station_relay = Table(
    "station_relay",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("sealed_password", LargeBinary, nullable=False),
    Column("authority", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

relay_transaction = Table(
    "relay_transaction",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("at_station", BigInteger, nullable=False),
    Column("ours", BigInteger, primary_key=True),
    Column("theirs", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

relay_message = Table(
    "relay_message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("frame", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
)
