"""Choosing a password: one's own, or by a link that an owner hands out (an invitation, or a reset)."""

from datetime import datetime, timedelta
from uuid import UUID

from pilotwire.core.errors import Conflict
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository, sign_in_queries
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.credentials import (
    checked_password,
    digest_of,
    hash_password,
    new_login_token,
    password_fits,
)
from pilotwire.domain.identity.errors import LinkExpired, WrongCredentials
from pilotwire.domain.identity.model import Principal, Right, Role, require
from pilotwire.domain.identity.usecases.manage_users import find_person
from pilotwire.domain.identity.usecases.second_factor import require_person

__all__ = ["change_own_password", "make_link", "use_link"]

_LINK_LASTS = timedelta(days=3)


async def change_own_password(
    db: Database, attempts: LoginAttempts, principal: Principal, *, current: str, password: str
) -> None:
    """Change one's own password; every other login of the person ends.

    `current` may be empty for one who has none yet. Raises: WrongCredentials, TooManyAttempts, Invalid.
    """
    user_id = require_person(principal)
    wanted = checked_password(password)
    attempts.begin(principal.name.lower(), principal.remote_address)
    async with db.tenant(principal.scope) as connection:
        account = await repository.find_account_by_id(connection, user_id)
    assert account is not None  # noqa: S101 - its login is good
    if account.password_hash and not await password_fits(account.password_hash, current):
        raise WrongCredentials(say("password_wrong", "the current password is wrong"))
    attempts.succeeded(principal.name.lower(), principal.remote_address)
    password_hash = await hash_password(wanted)
    own = UUID(principal.via.partition(":")[2])
    async with db.tenant(principal.scope) as connection:
        await repository.update_user(connection, user_id, {"password_hash": password_hash})
        await sign_in_queries.delete_logins(connection, user_id, but=own)
        await sign_in_queries.delete_link(connection, user_id)
        await repository.keep_audit(connection, principal, "user.password_changed", str(user_id))


async def make_link(db: Database, principal: Principal, user_id: UUID, now: datetime) -> tuple[str, datetime]:
    """Make a link by which a person chooses a password; return its secret and until when it is good.

    Repeats: the earlier link is good no more. Raises: NotFound; Conflict when the person is disabled.
    """
    require(principal, Right.MANAGE_PEOPLE)
    secret, expires_at = new_login_token(), now + _LINK_LASTS
    async with db.tenant(principal.scope) as connection:
        row = await find_person(connection, user_id)
        if row.disabled_at is not None:
            raise Conflict(say("person_disabled", "the person is disabled and could not sign in"))
        await sign_in_queries.insert_link(
            connection,
            {
                "digest": digest_of(secret),
                "tenant_id": principal.tenant_id,
                "user_id": user_id,
                "expires_at": expires_at,
            },
        )
        await repository.keep_audit(connection, principal, "user.password_link_made", str(user_id))
    return secret, expires_at


async def use_link(
    db: Database, attempts: LoginAttempts, address: str, now: datetime, *, secret: str, password: str
) -> str:
    """Choose a password by a link, which is used up by it; return the e-mail address to sign in with.

    All logins of the person end. Raises: LinkExpired, TooManyAttempts, Invalid.
    """
    wanted = checked_password(password)
    guesser = f"a link from {address}"  # guessers elsewhere must not shut anybody out
    attempts.begin(guesser, address)
    password_hash = await hash_password(wanted)
    async with db.system() as connection:
        row = await sign_in_queries.find_link(connection, digest_of(secret), now)
        if row is None or row.disabled_at is not None:
            raise LinkExpired
        principal = Principal(
            row.tenant_id,
            row.email,
            Role(row.role),
            user_id=row.id,
            via="password_link",
            remote_address=address,
        )
        await repository.update_user(connection, row.id, {"password_hash": password_hash})
        await sign_in_queries.delete_logins(connection, row.id)
        await sign_in_queries.delete_link(connection, row.id)
        await repository.keep_audit(connection, principal, "user.password_changed", str(row.id))
    attempts.succeeded(guesser, address)
    email: str = row.email
    return email
