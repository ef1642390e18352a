"""A second factor beside the password: codes of an authenticator app, and recovery codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Conflict, Forbidden, Invalid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.db.sealing import Seal
from pilotwire.domain.identity import repository, sign_in_queries
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.credentials import digest_of
from pilotwire.domain.identity.model import Principal
from pilotwire.domain.identity.totp import (
    new_recovery_codes,
    new_totp_secret,
    plain_code,
    provisioning,
    step_of,
)

__all__ = ["begin_totp", "confirm_totp", "forget_totp", "remove_totp", "require_person", "use_code"]

_SEALED_FOR = "authenticator app"


def require_person(principal: Principal) -> UUID:
    """Give the account of the person who asks.

    Raises: Forbidden for API keys.
    """
    if principal.user_id is None:
        raise Forbidden("this is about a person's own account, and an API key is none")
    return principal.user_id


async def begin_totp(db: Database, seal: Seal, principal: Principal) -> tuple[str, str]:
    """Give a new secret for an authenticator app: as text, and as the address for a QR code.

    It counts once a code of it has been shown. Raises: Conflict when there is one already.
    """
    user_id = require_person(principal)
    secret = new_totp_secret()
    async with db.tenant(principal.scope) as connection:
        account = await _account(connection, user_id)
        if account.totp_confirmed_at is not None:
            raise Conflict(say("app_set_up", "an authenticator app is set up already: remove it first"))
        await repository.update_user(connection, user_id, {"totp_secret": seal.close(secret, _SEALED_FOR)})
    return provisioning(secret, account.email)


async def confirm_totp(
    db: Database, seal: Seal, principal: Principal, code: str, now: datetime
) -> Sequence[str]:
    """Ask for codes from now on; return the recovery codes, which nobody can read again.

    Raises: Invalid for a wrong code; Conflict when nothing was begun.
    """
    user_id = require_person(principal)
    async with db.tenant(principal.scope) as connection:
        account = await _account(connection, user_id)
        if account.totp_secret is None or account.totp_confirmed_at is not None:
            raise Conflict(say("app_not_begun", "there is no new authenticator app to be confirmed"))
        step = step_of(seal.open(account.totp_secret, _SEALED_FOR), code, now)
        if step is None:
            raise Invalid(say("code_wrong_clock", "the code is wrong; is the clock of the phone right?"))
        await repository.update_user(connection, user_id, {"totp_confirmed_at": now, "totp_last_step": step})
        codes = new_recovery_codes()
        digests = [digest_of(plain_code(each)) for each in codes]
        await sign_in_queries.replace_recovery_codes(connection, principal.tenant_id, user_id, digests)
        await repository.keep_audit(connection, principal, "user.totp_added", str(user_id))
    return codes


async def remove_totp(
    db: Database, seal: Seal, attempts: LoginAttempts, principal: Principal, code: str, now: datetime
) -> None:
    """Ask for codes no more; a last one proves that it is the person.

    Raises: Invalid for a wrong code; TooManyAttempts; Conflict when there is none.
    """
    user_id = require_person(principal)
    attempts.begin(f"code of {user_id}", principal.remote_address)
    async with db.tenant(principal.scope) as connection:
        account = await _account(connection, user_id)
        if account.totp_confirmed_at is None:
            raise Conflict(say("app_missing", "no authenticator app is set up"))
        if not await use_code(connection, seal, account, code, now):
            raise Invalid(say("code_wrong", "the code is wrong"))
        await forget_totp(connection, principal.tenant_id, user_id)
        await repository.keep_audit(connection, principal, "user.totp_removed", str(user_id))
    attempts.succeeded(f"code of {user_id}", principal.remote_address)


async def forget_totp(connection: AsyncConnection, tenant_id: int, user_id: UUID) -> None:
    """Remove a person's authenticator app and recovery codes."""
    await repository.update_user(connection, user_id, {"totp_secret": None, "totp_confirmed_at": None})
    await sign_in_queries.replace_recovery_codes(connection, tenant_id, user_id, ())


async def use_code(
    connection: AsyncConnection, seal: Seal, account: Row[Any], code: str, now: datetime
) -> bool:
    """Tell whether a code of the app or a recovery code is right; each is good once."""
    step = step_of(seal.open(account.totp_secret, _SEALED_FOR), code, now)
    if step is not None:
        return await repository.advance_totp(connection, account.id, step)
    digest = digest_of(plain_code(code))
    return await sign_in_queries.use_recovery_code(connection, account.id, digest, now)


async def _account(connection: AsyncConnection, user_id: UUID) -> Row[Any]:
    account = await repository.find_account_by_id(connection, user_id)
    assert account is not None  # noqa: S101 - its login is good
    return account
