"""API keys: how programs come in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row

from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity import repository
from pilotwire.domain.identity.credentials import digest_of, new_api_key
from pilotwire.domain.identity.model import DEFAULT_TENANT, Principal, Right, Role, require, system_principal
from pilotwire.domain.identity.usecases.manage_users import checked_limit

__all__ = ["create_api_key", "ensure_bootstrap_key", "list_api_keys", "revoke_api_key"]

log = structlog.get_logger(__name__)

_SHORTEST_BOOTSTRAP_KEY = 8
_SHORTEST_GOOD_KEY = 24


async def create_api_key(
    db: Database,
    principal: Principal,
    name: str,
    role: Role,
    expires_at: datetime | None = None,
    *,
    sites: Collection[UUID] | None = None,
) -> tuple[Row[Any], str]:
    """Make an API key; return its row and the key itself, which nobody can read again.

    Raises: Invalid for an owner's key that is limited to sites.
    """
    require(principal, Right.MANAGE_PEOPLE)
    limit = checked_limit(role, sites)
    key = new_api_key()
    async with db.tenant(principal.scope) as connection:
        row = await repository.insert_key(
            connection,
            {
                "id": new_uuid(),
                "tenant_id": principal.tenant_id,
                "name": name,
                "role": role.value,
                "digest": digest_of(key),
                "expires_at": expires_at,
                "sites": limit,
            },
        )
        await repository.keep_audit(
            connection,
            principal,
            "api_key.created",
            str(row.id),
            after={"name": name, "role": role, "expires_at": expires_at, "sites": limit},
        )
    return row, key


async def list_api_keys(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List the API keys of the tenant, without their secrets."""
    require(principal, Right.MANAGE_PEOPLE)
    async with db.tenant(principal.scope) as connection:
        return await repository.list_keys(connection, after, limit)


async def revoke_api_key(db: Database, principal: Principal, key_id: UUID) -> Row[Any]:
    """Make a key useless from this moment on.

    Repeats: a revoked key stays as it is.
    Raises: NotFound.
    """
    require(principal, Right.MANAGE_PEOPLE)
    async with db.tenant(principal.scope) as connection:
        row = await repository.revoke_key(connection, key_id)
        if row is None:
            raise NotFound(say("api_key_unknown", "there is no API key {key}", key=key_id))
        await repository.keep_audit(
            connection, principal, "api_key.revoked", str(key_id), after={"name": row.name}
        )
    return row


async def ensure_bootstrap_key(db: Database, key: str, tenant_id: int = DEFAULT_TENANT) -> None:
    """Have an administrator's key that the owner of the system chose.

    Repeats: a key that is known stays as it is, a revoked one stays revoked.
    Raises: Invalid when the key is much too short.
    """
    if len(key) < _SHORTEST_BOOTSTRAP_KEY:
        raise Invalid(
            f"the bootstrap API key has {len(key)} characters; it needs {_SHORTEST_BOOTSTRAP_KEY} at least"
        )
    if len(key) < _SHORTEST_GOOD_KEY:
        log.warning("the bootstrap API key is short enough to be guessed; choose a longer random one")
    async with db.system() as connection:
        if await repository.find_key(connection, digest_of(key)) is not None:
            return
        principal = system_principal(tenant_id)
        row = await repository.insert_key(
            connection,
            {
                "id": new_uuid(),
                "tenant_id": tenant_id,
                "name": "bootstrap",
                "role": Role.OWNER.value,
                "digest": digest_of(key),
            },
        )
        await repository.keep_audit(
            connection, principal, "api_key.created", str(row.id), after={"name": "bootstrap"}
        )
