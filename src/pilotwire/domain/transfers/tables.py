"""The tables of files, as queries of people's requests see them."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid

from pilotwire.db.metadata import metadata

__all__ = ["file_grant", "firmware_image", "station_log"]

_moment = DateTime(timezone=True)

firmware_image = Table(
    "firmware_image",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("vendor", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("file_id", Uuid),
    Column("size_bytes", BigInteger),
    Column("sha256", LargeBinary),
    Column("signature", Text),
    Column("signing_certificate", Text),
    Column("notes", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("uploaded_at", _moment),
)

station_log = Table(
    "station_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("command_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("remote_address", Text, nullable=False),
    Column("received_at", _moment, nullable=False),
)

file_grant = Table(
    "file_grant",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("command_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("image_id", Uuid),
    Column("digest", LargeBinary, nullable=False),
    Column("expires_at", _moment, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("starts", Integer, nullable=False),
    Column("sent_bytes", BigInteger, nullable=False),
    Column("first_used_at", _moment),
    Column("used_at", _moment),
    Column("settling_since", _moment),
    Column("remote_address", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
)
