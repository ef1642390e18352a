"""Single sign-on: an identity provider outside says who it is."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository, sign_in_queries
from pilotwire.domain.identity.attempts import LoginAttempts
from pilotwire.domain.identity.credentials import digest_of, new_login_token
from pilotwire.domain.identity.errors import NoAccount, SignInStepExpired
from pilotwire.domain.identity.model import RIGHTS, Principal, Role
from pilotwire.domain.identity.ports import Claims, IdentityProvider, SignOnRules
from pilotwire.domain.identity.usecases.sign_in import Visitor, open_login
from pilotwire.domain.identity.usecases.use_passkeys import keep_step

__all__ = ["begin", "finish"]

_KIND = "single_sign_on"


class _Begun(msgspec.Struct):
    """What has to be remembered while the browser is at the provider."""

    nonce: str
    verifier: str
    browser: bytes
    redirect_uri: str


async def begin(
    db: Database,
    attempts: LoginAttempts,
    provider: IdentityProvider,
    visitor: Visitor,
    now: datetime,
    redirect_uri: str,
) -> tuple[str, str]:
    """Give the address to which the browser is sent, and a secret that it has to bring back in a cookie.

    Raises: ProviderFailed, TooManyAttempts.
    """
    attempts.begin_step(visitor.address)
    state, browser = new_login_token(), new_login_token()
    begun = _Begun(secrets.token_urlsafe(24), secrets.token_urlsafe(48), digest_of(browser), redirect_uri)
    address = await provider.address(redirect_uri, state, begun.nonce, begun.verifier)
    async with db.system() as connection:
        await sign_in_queries.delete_old(connection, now)
        await keep_step(connection, _KIND, state, msgspec.json.encode(begun).decode(), now)
    return address, browser


async def finish(
    db: Database,
    provider: IdentityProvider,
    rules: SignOnRules,
    visitor: Visitor,
    now: datetime,
    *,
    state: str,
    code: str,
    browser: str,
) -> tuple[Principal, str]:
    """Sign the person in whom the provider names; return who it is and the token of the login.

    Raises: SignInStepExpired, also for a browser that did not begin this; NoAccount; ProviderFailed.
    """
    async with db.system() as connection:
        step = await sign_in_queries.take_step(connection, _KIND, digest_of(state), now)
    if step is None:
        raise SignInStepExpired
    begun = msgspec.json.decode(step.content, type=_Begun)
    if not secrets.compare_digest(begun.browser, digest_of(browser)):
        raise SignInStepExpired("this browser did not begin the sign-in: begin again")
    claims = await provider.redeem(begun.redirect_uri, code, begun.nonce, begun.verifier)
    async with db.system() as connection:
        account = await _account_of(connection, claims, rules)
        return await open_login(connection, account, "single_sign_on", visitor, now)


async def _account_of(connection: AsyncConnection, claims: Claims, rules: SignOnRules) -> Row[Any]:
    """Find, link or add the account of a person, with the role that the claims give."""
    subject = f"{claims.issuer} {claims.subject}"
    given = _role_of(claims, rules)
    account = await repository.find_account_by_subject(connection, subject)
    # An address that nobody has checked could be anybody's.
    if account is None and claims.email and claims.email_verified:
        account = await repository.find_account(connection, claims.email)
        if account is not None and account.tenant_id != rules.tenant_id:
            raise NoAccount
    if account is None:
        return await _add(connection, claims, rules, given or rules.default_role, subject)
    if account.disabled_at is not None:
        raise NoAccount("the account is disabled")
    changes: dict[str, Any] = {}
    if account.subject != subject:
        changes["subject"] = subject
    if given is not None and given is not Role(account.role):
        changes["role"] = given.value
        if given is Role.OWNER and account.sites is not None:
            changes["sites"] = None
    return await _change(connection, account, changes) if changes else account


async def _change(connection: AsyncConnection, account: Row[Any], changes: dict[str, Any]) -> Row[Any]:
    await repository.update_user(connection, account.id, changes)
    await repository.keep_audit(
        connection,
        Principal(account.tenant_id, account.email, Role(account.role), via="single_sign_on"),
        "user.changed",
        str(account.id),
        before={key: getattr(account, key) for key in changes},
        after=changes,
    )
    found = await repository.find_account_by_id(connection, account.id)
    assert found is not None  # noqa: S101 - it was there just now
    return found


async def _add(
    connection: AsyncConnection, claims: Claims, rules: SignOnRules, role: Role | None, subject: str
) -> Row[Any]:
    if role is None:
        raise NoAccount("ask an owner to add you")
    if not claims.email or not claims.email_verified:
        raise NoAccount("the identity provider has not verified your e-mail address")
    user_id = new_uuid()
    values = {
        "id": user_id,
        "tenant_id": rules.tenant_id,
        "email": claims.email,
        "name": claims.name or claims.email.partition("@")[0],
        "role": role.value,
        "password_hash": "",
        "subject": subject,
    }
    await repository.insert_user(connection, values)
    principal = Principal(rules.tenant_id, claims.email, role, via="single_sign_on")
    after = {"email": claims.email, "role": role}
    await repository.keep_audit(connection, principal, "user.created", str(user_id), after=after)
    account = await repository.find_account_by_id(connection, user_id)
    assert account is not None  # noqa: S101 - it was added just now
    return account


def _role_of(claims: Claims, rules: SignOnRules) -> Role | None:
    """Give the role with the most rights that the claims give; None when they give none."""
    if not rules.role_claim or not rules.roles:
        return None
    value = _claim(claims.values, rules.role_claim)
    said = [value] if isinstance(value, str) else value if isinstance(value, Iterable) else []
    roles = [rules.roles[each] for each in said if isinstance(each, str) and each in rules.roles]
    return max(roles, key=lambda role: sum(role in holders for holders in RIGHTS.values()), default=None)


def _claim(values: Any, name: str) -> Any:
    """Find a claim; a point leads into one: `realm_access.roles`."""
    if isinstance(values, dict) and name in values:
        return values[name]
    head, point, rest = name.partition(".")
    return _claim(values.get(head), rest) if point and isinstance(values, dict) else None
