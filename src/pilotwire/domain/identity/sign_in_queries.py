"""Logins, passkeys, recovery codes, links and the steps of signing in, in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.identity.repository import USER
from pilotwire.domain.identity.tables import (
    login,
    passkey,
    password_link,
    recovery_code,
    sign_in_step,
    user_account,
)

__all__ = [
    "delete_link",
    "delete_login",
    "delete_logins",
    "delete_old",
    "delete_passkeys",
    "find_link",
    "find_login",
    "find_passkey",
    "insert_link",
    "insert_login",
    "insert_passkey",
    "insert_step",
    "list_logins",
    "list_passkeys",
    "replace_recovery_codes",
    "seen",
    "take_step",
    "use_passkey",
    "use_recovery_code",
]

_LOGIN: tuple[Any, ...] = (
    login.c.id, login.c.method, login.c.remote_address, login.c.user_agent, login.c.created_at, login.c.last_seen_at,
    login.c.expires_at,
)  # fmt: skip
_PASSKEY: tuple[Any, ...] = (
    passkey.c.id,
    passkey.c.name,
    passkey.c.backed_up,
    passkey.c.created_at,
    passkey.c.last_used_at,
)
_SEEN_EVERY = timedelta(minutes=1)


async def insert_login(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add a login, and say of the person when that was."""
    await connection.execute(insert(login).values(**values))
    await connection.execute(
        update(user_account)
        .where(user_account.c.id == values["user_id"])
        .values(last_signed_in_at=values["created_at"])
    )


async def find_login(connection: AsyncConnection, digest: bytes, now: datetime) -> Row[Any] | None:
    """Find the person of a login that is still good; the login itself is `login_id`."""
    query = (
        select(login.c.tenant_id, login.c.id.label("login_id"), login.c.method, login.c.last_seen_at, *USER)
        .join(user_account, user_account.c.id == login.c.user_id)
        .where(login.c.digest == digest, login.c.expires_at > now, user_account.c.disabled_at.is_(None))
    )
    return (await connection.execute(query)).one_or_none()


async def seen(connection: AsyncConnection, row: Row[Any], now: datetime) -> None:
    """Keep that a login is in use, once a minute at most."""
    if row.last_seen_at is None or now - row.last_seen_at > _SEEN_EVERY:
        await connection.execute(update(login).where(login.c.id == row.login_id).values(last_seen_at=now))


async def list_logins(connection: AsyncConnection, user_id: UUID, now: datetime) -> Sequence[Row[Any]]:
    """List a person's logins that are still good, the newest first."""
    query = select(*_LOGIN).where(login.c.user_id == user_id, login.c.expires_at > now)
    return (await connection.execute(query.order_by(login.c.created_at.desc()))).all()


async def delete_login(connection: AsyncConnection, digest: bytes) -> None:
    """End the login with this token."""
    await connection.execute(delete(login).where(login.c.digest == digest))


async def delete_logins(
    connection: AsyncConnection, user_id: UUID, *, only: UUID | None = None, but: UUID | None = None
) -> int:
    """End a person's logins: all of them, `only` one, or all `but` one; return how many there were."""
    query = delete(login).where(login.c.user_id == user_id)
    if only is not None:
        query = query.where(login.c.id == only)
    if but is not None:
        query = query.where(login.c.id != but)
    return len((await connection.execute(query.returning(login.c.id))).all())


async def delete_old(connection: AsyncConnection, now: datetime) -> None:
    """Remove logins, links and steps that have expired."""
    for table in (login, password_link, sign_in_step):
        await connection.execute(delete(table).where(table.c.expires_at <= now))


async def insert_step(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Remember something until the next step of signing in."""
    await connection.execute(insert(sign_in_step).values(**values))


async def take_step(connection: AsyncConnection, kind: str, digest: bytes, now: datetime) -> Row[Any] | None:
    """Take what was remembered: it is there once."""
    query = delete(sign_in_step).where(sign_in_step.c.digest == digest, sign_in_step.c.kind == kind)
    row = (await connection.execute(query.returning(sign_in_step))).one_or_none()
    return row if row is not None and row.expires_at > now else None


async def insert_passkey(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add a passkey."""
    return (await connection.execute(insert(passkey).values(**values).returning(*_PASSKEY))).one()


async def find_passkey(connection: AsyncConnection, credential_id: bytes) -> Row[Any] | None:
    """Find a passkey with its public key, over all tenants."""
    query = select(passkey).where(passkey.c.credential_id == credential_id)
    return (await connection.execute(query)).one_or_none()


async def use_passkey(connection: AsyncConnection, passkey_id: UUID, sign_count: int, now: datetime) -> None:
    """Keep that a passkey was used."""
    query = update(passkey).where(passkey.c.id == passkey_id).values(sign_count=sign_count, last_used_at=now)
    await connection.execute(query)


async def list_passkeys(connection: AsyncConnection, user_id: UUID) -> Sequence[Row[Any]]:
    """List a person's passkeys in the order of their making, with the ids by which browsers know them."""
    shown: tuple[Any, ...] = (*_PASSKEY, passkey.c.credential_id)
    query = select(*shown).where(passkey.c.user_id == user_id)
    return (await connection.execute(query.order_by(passkey.c.id))).all()


async def delete_passkeys(
    connection: AsyncConnection, user_id: UUID, *, only: UUID | None = None
) -> Sequence[Row[Any]]:
    """Remove a person's passkeys, or `only` one; return what was removed."""
    query = delete(passkey).where(passkey.c.user_id == user_id)
    if only is not None:
        query = query.where(passkey.c.id == only)
    return (await connection.execute(query.returning(*_PASSKEY))).all()


async def replace_recovery_codes(
    connection: AsyncConnection, tenant_id: int, user_id: UUID, digests: Sequence[bytes]
) -> None:
    """Give a person new recovery codes (or none); the old ones are good no more."""
    await connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    if digests:
        rows = [{"digest": digest, "tenant_id": tenant_id, "user_id": user_id} for digest in digests]
        await connection.execute(insert(recovery_code), rows)


async def use_recovery_code(connection: AsyncConnection, user_id: UUID, digest: bytes, now: datetime) -> bool:
    """Use up a recovery code; False when there is none like that, or it was used."""
    query = (
        update(recovery_code)
        .where(
            recovery_code.c.digest == digest,
            recovery_code.c.user_id == user_id,
            recovery_code.c.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(recovery_code.c.user_id)
    )
    return (await connection.execute(query)).one_or_none() is not None


async def insert_link(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add a link for choosing a password; earlier ones of the person are good no more."""
    await connection.execute(delete(password_link).where(password_link.c.user_id == values["user_id"]))
    await connection.execute(insert(password_link).values(created_at=func.now(), **values))


async def find_link(connection: AsyncConnection, digest: bytes, now: datetime) -> Row[Any] | None:
    """Find the person of a link that is still good, over all tenants."""
    query = (
        select(password_link.c.tenant_id, *USER)
        .join(user_account, user_account.c.id == password_link.c.user_id)
        .where(password_link.c.digest == digest, password_link.c.expires_at > now)
    )
    return (await connection.execute(query)).one_or_none()


async def delete_link(connection: AsyncConnection, user_id: UUID) -> None:
    """Remove a person's link."""
    await connection.execute(delete(password_link).where(password_link.c.user_id == user_id))
