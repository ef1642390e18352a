"""People who work with the network."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from pilotwire.core.clock import utc_now
from pilotwire.core.errors import Conflict, Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository
from pilotwire.domain.identity.credentials import checked_password, hash_password
from pilotwire.domain.identity.errors import AccountExists
from pilotwire.domain.identity.model import Principal, Right, Role, require

__all__ = ["change_user", "create_user", "list_users"]

_LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3


async def create_user(
    db: Database, principal: Principal, *, email: str, name: str, role: Role, password: str
) -> Row[Any]:
    """Add a person who may sign in.

    Raises: AccountExists, Invalid when the address or the password will not do.
    """
    require(principal, Right.MANAGE_PEOPLE)
    address = checked_email(email)
    password_hash = await hash_password(checked_password(password))
    try:
        async with db.tenant(principal.tenant_id) as connection:
            row = await repository.insert_user(
                connection,
                {
                    "id": new_uuid(),
                    "tenant_id": principal.tenant_id,
                    "email": address,
                    "name": name or address.partition("@")[0],
                    "role": role.value,
                    "password_hash": password_hash,
                },
            )
            await repository.keep_audit(
                connection, principal, "user.created", str(row.id), after={"email": address, "role": role}
            )
    except IntegrityError as error:
        raise AccountExists(f"there is an account of {address} already") from error
    return row


async def list_users(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List the people of the tenant."""
    require(principal, Right.MANAGE_PEOPLE)
    async with db.tenant(principal.tenant_id) as connection:
        return await repository.list_users(connection, after, limit)


async def change_user(
    db: Database, principal: Principal, user_id: UUID, changes: Mapping[str, Any]
) -> Row[Any]:
    """Change a person's `name`, `role`, `password` or `disabled`; the latter two end their logins.

    Raises: NotFound; Conflict when administrators would shut themselves out; Invalid.
    """
    require(principal, Right.MANAGE_PEOPLE)
    values: dict[str, Any] = {key: changes[key] for key in ("name", "role") if key in changes}
    if "password" in changes:
        values["password_hash"] = await hash_password(checked_password(changes["password"]))
    if "disabled" in changes:
        values["disabled_at"] = utc_now() if changes["disabled"] else None
    async with db.tenant(principal.tenant_id) as connection:
        before = await repository.find_user(connection, user_id)
        if before is None:
            raise NotFound(f"there is no user {user_id}")
        if not values:
            return before
        own = before.email == principal.name
        if own and (values.get("disabled_at") or values.get("role", before.role) != before.role):
            raise Conflict(
                "nobody can disable themselves or change their own role; ask another administrator"
            )
        row = await repository.update_user(connection, user_id, values)
        if "password_hash" in values or values.get("disabled_at"):
            await repository.delete_logins_of(connection, user_id)
        await repository.keep_audit(
            connection,
            principal,
            "user.changed",
            str(user_id),
            before={key: getattr(before, key, None) for key in values},
            after=values,
        )
    return row


def checked_email(email: str) -> str:
    """Return an e-mail address without blanks around it, if it can be one.

    Raises: Invalid.
    """
    address = email.strip()
    local, at, host = address.rpartition("@")
    if not (at and local and host) or len(address) > _LONGEST_EMAIL or any(c.isspace() for c in address):
        raise Invalid(f"'{address[:80]}' is no e-mail address")
    if not address.isprintable():
        raise Invalid("an e-mail address has printable characters only")
    return address
