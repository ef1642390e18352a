"""How stations that nobody has entered come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from pilotwire.bus import LocalBus
from pilotwire.core.errors import NotFound
from pilotwire.core.ids import new_secret, new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import setup_queries
from pilotwire.domain.stations.credentials import digest_secret
from pilotwire.domain.stations.events import EnrolmentKeysChanged

__all__ = [
    "EnrolmentDraft",
    "create_enrolment_key",
    "list_enrolment_keys",
    "revoke_enrolment_key",
]


@dataclass(frozen=True, slots=True)
class EnrolmentDraft:
    """An enrolment key to be made; with `admit` its stations may charge at once, else they wait."""

    name: str
    site_id: UUID | None = None
    admit: bool = False
    maximum_uses: int = 100
    expires_at: datetime | None = None


async def create_enrolment_key(
    db: Database, bus: LocalBus, pepper: bytes, principal: Principal, draft: EnrolmentDraft
) -> tuple[Row[Any], str]:
    """Make an enrolment key; return its row and the key itself, which nobody can read again.

    Raises: NotFound for the site.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    key = new_secret()  # 20 characters: the most that OCPP 1.6 stations take as AuthorizationKey
    async with db.tenant(principal.scope) as connection:
        if draft.site_id is not None:
            await setup_queries.get_site(connection, draft.site_id)
        facts = {
            "name": draft.name,
            "site_id": draft.site_id,
            "admit": draft.admit,
            "maximum_uses": draft.maximum_uses,
            "expires_at": draft.expires_at,
        }
        row = await setup_queries.insert_enrolment_key(
            connection,
            {
                "id": new_uuid(),
                "tenant_id": principal.tenant_id,
                "digest": digest_secret(pepper, key.encode()),
                **facts,
            },
        )
        await keep_audit(connection, principal, "enrolment_key.created", str(row.id), after=facts)
    bus.publish(EnrolmentKeysChanged(principal.tenant_id))
    return row, key


async def list_enrolment_keys(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List enrolment keys, without their secrets."""
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.scope) as connection:
        return await setup_queries.list_enrolment_keys(connection, after, limit)


async def revoke_enrolment_key(db: Database, bus: LocalBus, principal: Principal, key_id: UUID) -> Row[Any]:
    """Make an enrolment key useless; stations that came in with it stay.

    Repeats: a revoked key stays as it is.
    Raises: NotFound.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.scope) as connection:
        row = await setup_queries.revoke_enrolment_key(connection, key_id)
        if row is None:
            raise NotFound(say("enrolment_key_unknown", "there is no enrolment key {key}", key=key_id))
        await keep_audit(
            connection, principal, "enrolment_key.revoked", str(key_id), after={"name": row.name}
        )
    bus.publish(EnrolmentKeysChanged(principal.tenant_id))
    return row
