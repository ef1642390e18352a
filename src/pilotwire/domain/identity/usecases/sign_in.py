"""Coming in: who is it that asks?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Unauthenticated
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.identity import repository, sign_in_queries
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.credentials import digest_of, new_login_token, password_fits
from pilotwire.domain.identity.errors import CodeNeeded, WrongCredentials
from pilotwire.domain.identity.model import Principal, Role
from pilotwire.domain.identity.usecases.second_factor import use_code

__all__ = [
    "LOGIN_LASTS",
    "Visitor",
    "identify_by_key",
    "identify_by_login",
    "open_login",
    "sign_in",
    "sign_out",
]

LOGIN_LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where somebody signs in from."""

    address: str
    user_agent: str = ""


async def identify_by_key(db: Database, key: str, now: datetime, address: str = "") -> Principal:
    """Tell who has this API key.

    Raises: Unauthenticated when nobody has, or it is revoked or expired.
    """
    async with db.system() as connection:
        row = await repository.find_key(connection, digest_of(key))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise Unauthenticated("the API key is unknown, expired or revoked")
    return Principal(
        row.tenant_id,
        f"key:{row.name}",
        Role(row.role),
        _sites(row.sites),
        via=f"api_key:{row.id}",
        remote_address=address,
    )


async def identify_by_login(db: Database, token: str, now: datetime, address: str = "") -> Principal:
    """Tell whose login this is.

    Raises: Unauthenticated when it is over.
    """
    async with db.system() as connection:
        row = await sign_in_queries.find_login(connection, digest_of(token), now)
        if row is not None:
            await sign_in_queries.seen(connection, row, now)
    if row is None:
        raise Unauthenticated(say("login_ended", "the login has ended: sign in again"))
    return _person(row, f"login:{row.login_id}", address)


async def sign_in(
    db: Database,
    seal: Seal,
    attempts: LoginAttempts,
    now: datetime,
    visitor: Visitor,
    *,
    email: str,
    password: str,
    code: str = "",
) -> tuple[Principal, str]:
    """Sign a person in; return who it is and the token of the login.

    `code` is from the authenticator app, or a recovery code; it is needed where the person has set one up.
    Raises: WrongCredentials, which does not tell whether the account exists; CodeNeeded; TooManyAttempts.
    """
    account = email.strip().lower()
    attempts.begin(account, visitor.address)
    async with db.system() as connection:
        row = await repository.find_account(connection, account)
    # Checked outside the transaction: a hash takes long, and a connection is dear.
    fits = await password_fits(None if row is None else row.password_hash or None, password)
    if row is None or not fits or row.disabled_at is not None:
        raise WrongCredentials
    method = "password"
    if row.totp_confirmed_at is not None:
        if not code:
            attempts.succeeded(account, visitor.address)
            raise CodeNeeded("send 'code' too: of the authenticator app, or a recovery code")
        async with db.system() as connection:
            if not await use_code(connection, seal, row, code, now):
                raise WrongCredentials
        method = "password+code"
    attempts.succeeded(account, visitor.address)
    async with db.system() as connection:
        return await open_login(connection, row, method, visitor, now)


async def open_login(
    connection: AsyncConnection, row: Row[Any], method: str, visitor: Visitor, now: datetime
) -> tuple[Principal, str]:
    """Open a login of a person who has proved to be it; return who it is and the login's token."""
    token, login_id = new_login_token(), new_uuid()
    principal = _person(row, f"login:{login_id}", visitor.address)
    await sign_in_queries.delete_old(connection, now)
    await sign_in_queries.insert_login(
        connection,
        {
            "digest": digest_of(token),
            "id": login_id,
            "tenant_id": row.tenant_id,
            "user_id": row.id,
            "method": method,
            "remote_address": visitor.address,
            "user_agent": visitor.user_agent[:300],
            "created_at": now,
            "last_seen_at": now,
            "expires_at": now + LOGIN_LASTS,
        },
    )
    await repository.keep_audit(
        connection, principal, "user.signed_in", str(row.id), after={"method": method}
    )
    return principal, token


async def sign_out(db: Database, token: str) -> None:
    """End a login.

    Repeats: does nothing when it has ended.
    """
    async with db.system() as connection:
        await sign_in_queries.delete_login(connection, digest_of(token))


def _person(row: Row[Any], via: str, address: str) -> Principal:
    return Principal(
        row.tenant_id,
        row.email,
        Role(row.role),
        _sites(row.sites),
        user_id=row.id,
        via=via,
        remote_address=address,
    )


def _sites(sites: list[UUID] | None) -> frozenset[UUID] | None:
    return None if sites is None else frozenset(sites)
