"""People, keys and the audit trail in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.ids import new_uuid
from pilotwire.domain.identity.model import Principal
from pilotwire.domain.identity.tables import api_key, audit_entry, login, user_account

__all__ = [
    "delete_login",
    "delete_logins_of",
    "delete_old_logins",
    "find_account",
    "find_key",
    "find_login",
    "find_user",
    "insert_key",
    "insert_login",
    "insert_user",
    "keep_audit",
    "list_audit_entries",
    "list_keys",
    "list_users",
    "revoke_key",
    "update_user",
]

_HIDDEN = ("password", "secret", "digest", "hash")

_KEY: tuple[Any, ...] = (
    api_key.c.id,
    api_key.c.name,
    api_key.c.role,
    api_key.c.created_at,
    api_key.c.expires_at,
    api_key.c.revoked_at,
)
_USER: tuple[Any, ...] = (
    user_account.c.id, user_account.c.email, user_account.c.name, user_account.c.role,
    user_account.c.created_at, user_account.c.disabled_at,
)  # fmt: skip


async def keep_audit(
    connection: AsyncConnection,
    principal: Principal,
    action: str,
    object_name: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write who did what, in the transaction that does it. Secrets are left out whoever hands them over."""
    await connection.execute(
        insert(audit_entry).values(
            id=new_uuid(),
            tenant_id=principal.tenant_id,
            at=func.now(),
            actor=principal.name,
            action=action,
            object=object_name,
            before=_plain(before),
            after=_plain(after),
        )
    )


def _plain(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    plain = {
        key: "(changed)" if any(word in key for word in _HIDDEN) else value for key, value in values.items()
    }
    found: dict[str, Any] = msgspec.to_builtins(plain)
    return found


async def list_audit_entries(
    connection: AsyncConnection, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List the audit trail, the newest first; `before` is the last one of the previous page."""
    query = select(audit_entry)
    if before is not None:
        query = query.where(audit_entry.c.id < before)
    return (await connection.execute(query.order_by(audit_entry.c.id.desc()).limit(limit))).all()


async def find_key(connection: AsyncConnection, digest: bytes) -> Row[Any] | None:
    """Find an API key by its digest, revoked or expired ones too."""
    query = select(api_key.c.tenant_id, *_KEY).where(api_key.c.digest == digest)
    return (await connection.execute(query)).one_or_none()


async def insert_key(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add an API key."""
    return (await connection.execute(insert(api_key).values(**values).returning(*_KEY))).one()


async def list_keys(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """List API keys in the order of their making."""
    query = select(*_KEY).order_by(api_key.c.id).limit(limit)
    if after is not None:
        query = query.where(api_key.c.id > after)
    return (await connection.execute(query)).all()


async def revoke_key(connection: AsyncConnection, key_id: UUID) -> Row[Any] | None:
    """Revoke an API key; None when there is none. One that is revoked already keeps its moment."""
    query = (
        update(api_key)
        .where(api_key.c.id == key_id)
        .values(revoked_at=func.coalesce(api_key.c.revoked_at, func.now()))
        .returning(*_KEY)
    )
    return (await connection.execute(query)).one_or_none()


async def find_account(connection: AsyncConnection, email: str) -> Row[Any] | None:
    """Find an account by its e-mail address, over all tenants, with the hash of its password."""
    query = select(user_account).where(func.lower(user_account.c.email) == email.lower())
    return (await connection.execute(query)).one_or_none()


async def find_user(connection: AsyncConnection, user_id: UUID) -> Row[Any] | None:
    """Find a person."""
    return (await connection.execute(select(*_USER).where(user_account.c.id == user_id))).one_or_none()


async def insert_user(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add a person."""
    return (await connection.execute(insert(user_account).values(**values).returning(*_USER))).one()


async def update_user(connection: AsyncConnection, user_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """Change a person who is known to exist."""
    query = update(user_account).where(user_account.c.id == user_id).values(**values).returning(*_USER)
    return (await connection.execute(query)).one()


async def list_users(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """List people in the order in which they came."""
    query = select(*_USER).order_by(user_account.c.id).limit(limit)
    if after is not None:
        query = query.where(user_account.c.id > after)
    return (await connection.execute(query)).all()


async def insert_login(
    connection: AsyncConnection,
    *,
    digest: bytes,
    tenant_id: int,
    user_id: UUID,
    at: datetime,
    expires_at: datetime,
) -> None:
    """Add a login."""
    await connection.execute(
        insert(login).values(
            digest=digest, tenant_id=tenant_id, user_id=user_id, created_at=at, expires_at=expires_at
        )
    )


async def find_login(connection: AsyncConnection, digest: bytes, now: datetime) -> Row[Any] | None:
    """Find the person of a login that is still good."""
    query = (
        select(login.c.tenant_id, *_USER)
        .join(user_account, user_account.c.id == login.c.user_id)
        .where(login.c.digest == digest, login.c.expires_at > now, user_account.c.disabled_at.is_(None))
    )
    return (await connection.execute(query)).one_or_none()


async def delete_login(connection: AsyncConnection, digest: bytes) -> None:
    """End a login."""
    await connection.execute(delete(login).where(login.c.digest == digest))


async def delete_logins_of(connection: AsyncConnection, user_id: UUID) -> None:
    """End every login of a person."""
    await connection.execute(delete(login).where(login.c.user_id == user_id))


async def delete_old_logins(connection: AsyncConnection, now: datetime) -> None:
    """Remove logins that have expired."""
    await connection.execute(delete(login).where(login.c.expires_at <= now))
