"""The tables of certificates, as queries of people's requests see them."""

from sqlalchemy import Column, DateTime, Integer, LargeBinary, SmallInteger, Table, Text, Uuid

from pilotwire.db.metadata import metadata

__all__ = [
    "certificate_authority",
    "certificate_request",
    "security_upgrade",
    "station_certificate",
    "trusted_root",
]

_moment = DateTime(timezone=True)

certificate_authority = Table(
    "certificate_authority",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("root_pem", Text, nullable=False),
    Column("issuing_pem", Text, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("retired_at", _moment),
)

station_certificate = Table(
    "station_certificate",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("serial_number", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("chain_pem", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("not_before", _moment, nullable=False),
    Column("not_after", _moment, nullable=False),
    Column("issued_at", _moment, nullable=False),
    Column("delivered_at", _moment),
    Column("first_used_at", _moment),
    Column("renewal_asked_at", _moment),
    Column("revoked_at", _moment),
    Column("revocation_reason", Text, nullable=False),
)

certificate_request = Table(
    "certificate_request",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("station_id", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("csr_pem", Text, nullable=False),
    Column("request_id", Integer),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("received_at", _moment, nullable=False),
    Column("certificate_id", Uuid),
    Column("task_id", Uuid),
    Column("finished_at", _moment),
)

trusted_root = Table(
    "trusted_root",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("use", Text, nullable=False),
    Column("pem", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("not_after", _moment, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
)

security_upgrade = Table(
    "security_upgrade",
    metadata,
    Column("station_id", Integer, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("profile", SmallInteger, nullable=False),
    Column("step", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    Column("task_id", Uuid),
    Column("created_by", Text, nullable=False),
    Column("started_at", _moment, nullable=False),
    Column("step_at", _moment, nullable=False),
    Column("finished_at", _moment),
)
