"""The tables of people and keys."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from pilotwire.db.metadata import metadata

__all__ = [
    "api_key",
    "audit_entry",
    "login",
    "passkey",
    "password_link",
    "recovery_code",
    "sign_in_step",
    "tenant",
    "user_account",
]

_moment = DateTime(timezone=True)

tenant = Table(
    "tenant",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
)

user_account = Table(
    "user_account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenant.id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("disabled_at", _moment),
    Column("sites", ARRAY(Uuid)),
    Column("subject", Text),
    Column("totp_secret", LargeBinary),
    Column("totp_confirmed_at", _moment),
    Column("totp_last_step", BigInteger, nullable=False),
    Column("last_signed_in_at", _moment),
)

login = Table(
    "login",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("expires_at", _moment, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("method", Text, nullable=False),
    Column("remote_address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("last_seen_at", _moment),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("credential_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("last_used_at", _moment),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("used_at", _moment),
)

password_link = Table(
    "password_link",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("expires_at", _moment, nullable=False),
)

sign_in_step = Table(
    "sign_in_step",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user_id", Uuid),
    Column("content", Text, nullable=False),
    Column("expires_at", _moment, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", _moment, nullable=False),
    Column("expires_at", _moment),
    Column("revoked_at", _moment),
    Column("sites", ARRAY(Uuid)),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("at", _moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("remote_address", Text, nullable=False),
    Column("via", Text, nullable=False),
)
