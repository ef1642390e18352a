"""People, keys and the audit trail in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.ids import new_uuid
from pilotwire.domain.identity.model import Principal
from pilotwire.domain.identity.tables import api_key, audit_entry, user_account

__all__ = [
    "USER",
    "AuditFilter",
    "advance_totp",
    "find_account",
    "find_account_by_id",
    "find_account_by_subject",
    "find_key",
    "find_user",
    "insert_key",
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
    api_key.c.sites,
)
USER: tuple[Any, ...] = (
    user_account.c.id, user_account.c.email, user_account.c.name, user_account.c.role,
    user_account.c.created_at, user_account.c.disabled_at, user_account.c.sites, user_account.c.last_signed_in_at,
    (user_account.c.password_hash != "").label("has_password"),
    user_account.c.totp_confirmed_at.is_not(None).label("has_totp"),
    user_account.c.subject.is_not(None).label("has_single_sign_on"),
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
            remote_address=principal.remote_address,
            via=principal.via,
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


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list; None leaves a question open. `action` may be the part before the point: `user`."""

    actor: str | None = None
    action: str | None = None
    object_name: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_audit_entries(
    connection: AsyncConnection, wanted: AuditFilter, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List the audit trail, the newest first; `before` is the last one of the previous page."""
    query = select(audit_entry)
    if before is not None:
        query = query.where(audit_entry.c.id < before)
    if wanted.actor is not None:
        query = query.where(audit_entry.c.actor == wanted.actor)
    if wanted.action is not None:
        named = audit_entry.c.action == wanted.action
        query = query.where(named | audit_entry.c.action.startswith(wanted.action + ".", autoescape=True))
    if wanted.object_name is not None:
        query = query.where(audit_entry.c.object == wanted.object_name)
    if wanted.since is not None:
        query = query.where(audit_entry.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit_entry.c.at < wanted.until)
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
    return (await connection.execute(select(*USER).where(user_account.c.id == user_id))).one_or_none()


async def insert_user(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add a person."""
    return (await connection.execute(insert(user_account).values(**values).returning(*USER))).one()


async def update_user(connection: AsyncConnection, user_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """Change a person who is known to exist."""
    query = update(user_account).where(user_account.c.id == user_id).values(**values).returning(*USER)
    return (await connection.execute(query)).one()


async def list_users(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """List people in the order in which they came."""
    query = select(*USER).order_by(user_account.c.id).limit(limit)
    if after is not None:
        query = query.where(user_account.c.id > after)
    return (await connection.execute(query)).all()


async def find_account_by_id(connection: AsyncConnection, user_id: UUID) -> Row[Any] | None:
    """Find an account with its secrets, over all tenants."""
    query = select(user_account).where(user_account.c.id == user_id)
    return (await connection.execute(query)).one_or_none()


async def find_account_by_subject(connection: AsyncConnection, subject: str) -> Row[Any] | None:
    """Find the account that an identity provider knows by this subject, over all tenants."""
    query = select(user_account).where(user_account.c.subject == subject)
    return (await connection.execute(query)).one_or_none()


async def advance_totp(connection: AsyncConnection, user_id: UUID, step: int) -> bool:
    """Use up the codes up to a step of time; False when somebody was quicker: a code is good once."""
    query = (
        update(user_account)
        .where(user_account.c.id == user_id, user_account.c.totp_last_step < step)
        .values(totp_last_step=step)
        .returning(user_account.c.id)
    )
    return (await connection.execute(query)).one_or_none() is not None
