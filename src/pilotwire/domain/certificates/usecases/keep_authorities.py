"""The system's own authorities: made when first needed, replaced on wish."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database, Scope
from pilotwire.db.sealing import Seal
from pilotwire.domain.certificates import queries
from pilotwire.domain.certificates.authority import make_authority
from pilotwire.domain.certificates.events import AuthorityMade
from pilotwire.domain.certificates.model import AuthorityKeys, Purpose
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["authority_of", "list_authorities", "replace_authority"]

_ORGANISATION = "Pilotwire"
_SEALED_FOR = "certificate authority"


async def authority_of(
    db: Database, bus: LocalBus, seal: Seal, clock: Clock, tenant_id: int, purpose: Purpose
) -> AuthorityKeys:
    """Give the authority that signs for a purpose; the first time it is made.

    Raises: Unavailable when its key was sealed with another secret key.
    """
    for _ in range(2):
        async with db.tenant(Scope(tenant_id)) as connection:
            for row in await queries.list_authorities(connection):
                if row.purpose == purpose and row.retired_at is None:
                    return AuthorityKeys(
                        row.root_pem, row.issuing_pem, seal.open(row.sealed_key, _SEALED_FOR)
                    )
            keys = make_authority(purpose, _ORGANISATION, clock())
            values = _values(keys, seal, tenant_id, purpose) | {"created_at": clock()}
            made = await queries.insert_authority(connection, values)
        if made:
            bus.publish(AuthorityMade(tenant_id, purpose.value, keys.root_pem))
            return keys
    raise RuntimeError("an authority is there and is not")


async def replace_authority(
    db: Database, bus: LocalBus, seal: Seal, clock: Clock, principal: Principal, purpose: Purpose
) -> str:
    """Make a new authority; the one of before signs nothing more, but what it has signed stays good. Return the root."""
    require(principal, Right.LOWER_SECURITY)
    keys = make_authority(purpose, _ORGANISATION, clock())
    async with db.tenant(principal.scope) as connection:
        await queries.retire_authority(connection, principal.tenant_id, purpose, clock())
        values = _values(keys, seal, principal.tenant_id, purpose) | {"created_at": clock()}
        await queries.insert_authority(connection, values)
        await keep_audit(connection, principal, "certificate_authority.replaced", purpose.value)
    bus.publish(AuthorityMade(principal.tenant_id, purpose.value, keys.root_pem))
    return keys.root_pem


async def list_authorities(db: Database, principal: Principal) -> Sequence[Row[Any]]:
    """List the authorities, the newest first."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_authorities(connection)


def _values(keys: AuthorityKeys, seal: Seal, tenant_id: int, purpose: Purpose) -> dict[str, Any]:
    return {
        "id": new_uuid(),
        "tenant_id": tenant_id,
        "purpose": purpose.value,
        "root_pem": keys.root_pem,
        "issuing_pem": keys.issuing_pem,
        "sealed_key": seal.close(keys.issuing_key_pem, _SEALED_FOR),
    }
