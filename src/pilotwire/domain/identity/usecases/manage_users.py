"""People who work with the network."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.clock import utc_now
from pilotwire.core.errors import Conflict, Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository, sign_in_queries
from pilotwire.domain.identity.credentials import checked_password, hash_password
from pilotwire.domain.identity.errors import AccountExists
from pilotwire.domain.identity.model import Principal, Right, Role, require
from pilotwire.domain.identity.usecases.second_factor import forget_totp

__all__ = [
    "change_user",
    "checked_limit",
    "create_user",
    "end_logins",
    "find_person",
    "list_logins",
    "list_users",
    "remove_second_factors",
]

_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3


async def create_user(
    db: Database,
    principal: Principal,
    *,
    email: str,
    name: str,
    role: Role,
    password: str | None = None,
    sites: Collection[UUID] | None = None,
) -> Row[Any]:
    """Add a person who may sign in; without a password they choose one by a link, or use single sign-on.

    Raises: AccountExists, Invalid when the address or the password will not do.
    """
    require(principal, Right.MANAGE_PEOPLE)
    address = checked_email(email)
    limit = checked_limit(role, sites)
    password_hash = "" if password is None else await hash_password(checked_password(password))
    try:
        async with db.tenant(principal.scope) as connection:
            row = await repository.insert_user(
                connection,
                {
                    "id": new_uuid(),
                    "tenant_id": principal.tenant_id,
                    "email": address,
                    "name": name or address.partition("@")[0],
                    "role": role.value,
                    "password_hash": password_hash,
                    "sites": limit,
                },
            )
            after = {"email": address, "role": role, "sites": limit}
            await repository.keep_audit(connection, principal, "user.created", str(row.id), after=after)
    except IntegrityError as error:
        raise AccountExists(
            say("account_exists", "there is an account of {address} already", address=address)
        ) from error
    return row


async def list_users(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List the people of the tenant."""
    require(principal, Right.MANAGE_PEOPLE)
    async with db.tenant(principal.scope) as connection:
        return await repository.list_users(connection, after, limit)


async def change_user(
    db: Database, principal: Principal, user_id: UUID, changes: Mapping[str, Any]
) -> Row[Any]:
    """Change a person's `name`, `role`, `sites`, `password` or `disabled`; the latter two end their logins.

    Raises: NotFound; Conflict when owners would shut themselves out; Invalid.
    """
    require(principal, Right.MANAGE_PEOPLE)
    values: dict[str, Any] = {key: changes[key] for key in ("name", "role", "sites") if key in changes}
    if "password" in changes:
        values["password_hash"] = await hash_password(checked_password(changes["password"]))
    if "disabled" in changes:
        values["disabled_at"] = utc_now() if changes["disabled"] else None
    async with db.tenant(principal.scope) as connection:
        before = await find_person(connection, user_id)
        if not values:
            return before
        role = Role(values.get("role", before.role))
        if "role" in values or "sites" in values:
            values["sites"] = checked_limit(role, values.get("sites", before.sites))
        if before.email == principal.name and (values.get("disabled_at") or role != Role(before.role)):
            raise Conflict(
                say(
                    "not_oneself", "nobody can disable themselves or change their own role; ask another owner"
                )
            )
        row = await repository.update_user(connection, user_id, values)
        if "password_hash" in values or values.get("disabled_at"):
            await sign_in_queries.delete_logins(connection, user_id)
            await sign_in_queries.delete_link(connection, user_id)
        await repository.keep_audit(
            connection,
            principal,
            "user.changed",
            str(user_id),
            before={key: getattr(before, key, None) for key in values},
            after=values,
        )
    return row


async def list_logins(db: Database, principal: Principal, user_id: UUID, now: datetime) -> Sequence[Row[Any]]:
    """List a person's logins: one's own, or with the right to manage people anybody's.

    Raises: NotFound.
    """
    _require_own(principal, user_id)
    async with db.tenant(principal.scope) as connection:
        await find_person(connection, user_id)
        return await sign_in_queries.list_logins(connection, user_id, now)


async def end_logins(
    db: Database,
    principal: Principal,
    user_id: UUID,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
) -> None:
    """End a person's logins: one's own, or with the right to manage people anybody's; all, `only` one, all `but` one.

    Repeats: does nothing when they have ended. Raises: NotFound.
    """
    _require_own(principal, user_id)
    async with db.tenant(principal.scope) as connection:
        await find_person(connection, user_id)
        ended = await sign_in_queries.delete_logins(connection, user_id, only=only, but=but)
        if ended:
            await repository.keep_audit(
                connection, principal, "user.logins_ended", str(user_id), after={"ended": ended}
            )


async def remove_second_factors(db: Database, principal: Principal, user_id: UUID) -> Row[Any]:
    """Remove a person's authenticator app and passkeys, for one who has lost them.

    Repeats: does nothing when there are none. Raises: NotFound.
    """
    require(principal, Right.MANAGE_PEOPLE)
    async with db.tenant(principal.scope) as connection:
        before = await find_person(connection, user_id)
        removed = await sign_in_queries.delete_passkeys(connection, user_id)
        if before.has_totp or removed:
            await forget_totp(connection, principal.tenant_id, user_id)
            await repository.keep_audit(
                connection,
                principal,
                "user.second_factors_removed",
                str(user_id),
                before={"totp": before.has_totp, "passkeys": [row.name for row in removed]},
            )
        return await find_person(connection, user_id)


async def find_person(connection: AsyncConnection, user_id: UUID) -> Row[Any]:
    """Find a person of the tenant.

    Raises: NotFound.
    """
    row = await repository.find_user(connection, user_id)
    if row is None:
        raise NotFound(say("user_unknown", "there is no user {user}", user=user_id))
    return row


def checked_limit(role: Role, sites: Collection[UUID] | None) -> list[UUID] | None:
    """Return the sites to which somebody is limited, in order; None is no limit.

    Raises: Invalid for an owner, who could undo it.
    """
    if sites is None:
        return None
    if role is Role.OWNER:
        raise Invalid(say("owner_not_limited", "an owner may do everything and cannot be limited to sites"))
    return sorted(set(sites))


def _require_own(principal: Principal, user_id: UUID) -> None:
    if principal.user_id != user_id:
        require(principal, Right.MANAGE_PEOPLE)


def checked_email(email: str) -> str:
    """Return an e-mail address without blanks around it, if it can be one.

    Raises: Invalid.
    """
    address = email.strip()
    local, at, host = address.rpartition("@")
    if not (at and local and host) or len(address) > _LONGEST_EMAIL or any(c.isspace() for c in address):
        raise Invalid(say("email_wrong", "'{address}' is no e-mail address", address=address[:80]))
    if not address.isprintable():
        raise Invalid(say("email_characters", "an e-mail address has printable characters only"))
    return address
