"""Coming in: who is it that asks?"""

from datetime import datetime, timedelta

from pilotwire.core.errors import Unauthenticated
from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.credentials import digest_of, new_login_token, password_fits
from pilotwire.domain.identity.errors import WrongCredentials
from pilotwire.domain.identity.model import Principal, Role

__all__ = ["LOGIN_LASTS", "identify_by_key", "identify_by_login", "sign_in", "sign_out"]

LOGIN_LASTS = timedelta(hours=12)


async def identify_by_key(db: Database, key: str, now: datetime) -> Principal:
    """Tell who has this API key.

    Raises: Unauthenticated when nobody has, or it is revoked or expired.
    """
    async with db.system() as connection:
        row = await repository.find_key(connection, digest_of(key))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise Unauthenticated("the API key is unknown, expired or revoked")
    return Principal(row.tenant_id, f"key:{row.name}", Role(row.role))


async def identify_by_login(db: Database, token: str, now: datetime) -> Principal:
    """Tell whose login this is.

    Raises: Unauthenticated when it is over.
    """
    async with db.system() as connection:
        row = await repository.find_login(connection, digest_of(token), now)
    if row is None:
        raise Unauthenticated("the login has ended: sign in again")
    return Principal(row.tenant_id, row.email, Role(row.role))


async def sign_in(
    db: Database, attempts: LoginAttempts, now: datetime, *, email: str, password: str, address: str
) -> tuple[Principal, str]:
    """Sign a person in; return who it is and the token of the login.

    Raises: WrongCredentials, which does not tell whether the account exists; TooManyAttempts.
    """
    account = email.strip().lower()
    attempts.begin(account, address)
    async with db.system() as connection:
        row = await repository.find_account(connection, account)
    # Checked outside the transaction: a hash takes long, and a connection is dear.
    fits = await password_fits(None if row is None else row.password_hash, password)
    if row is None or not fits or row.disabled_at is not None:
        raise WrongCredentials
    attempts.succeeded(account, address)
    principal = Principal(row.tenant_id, row.email, Role(row.role))
    token = new_login_token()
    async with db.system() as connection:
        await repository.delete_old_logins(connection, now)
        await repository.insert_login(
            connection,
            digest=digest_of(token),
            tenant_id=row.tenant_id,
            user_id=row.id,
            at=now,
            expires_at=now + LOGIN_LASTS,
        )
        await repository.keep_audit(connection, principal, "user.signed_in", str(row.id))
    return principal, token


async def sign_out(db: Database, token: str) -> None:
    """End a login.

    Repeats: does nothing when it has ended.
    """
    async with db.system() as connection:
        await repository.delete_login(connection, digest_of(token))
