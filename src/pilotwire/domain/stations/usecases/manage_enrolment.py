"""How stations that nobody has entered come in, and what they are set to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from pilotwire.bus import LocalBus
from pilotwire.core.errors import NotFound
from pilotwire.core.ids import new_secret, new_uuid
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import setup_queries
from pilotwire.domain.stations.credentials import digest_secret
from pilotwire.domain.stations.errors import TemplateExists
from pilotwire.domain.stations.events import EnrolmentKeysChanged

__all__ = [
    "EnrolmentDraft",
    "change_template",
    "create_enrolment_key",
    "create_template",
    "list_enrolment_keys",
    "list_templates",
    "remove_template",
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
    async with db.tenant(principal.tenant_id) as connection:
        if draft.site_id is not None and await setup_queries.find_site(connection, draft.site_id) is None:
            raise NotFound(f"there is no site {draft.site_id}")
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
    async with db.tenant(principal.tenant_id) as connection:
        return await setup_queries.list_enrolment_keys(connection, after, limit)


async def revoke_enrolment_key(db: Database, bus: LocalBus, principal: Principal, key_id: UUID) -> Row[Any]:
    """Make an enrolment key useless; stations that came in with it stay.

    Repeats: a revoked key stays as it is.
    Raises: NotFound.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.tenant_id) as connection:
        row = await setup_queries.revoke_enrolment_key(connection, key_id)
        if row is None:
            raise NotFound(f"there is no enrolment key {key_id}")
        await keep_audit(
            connection, principal, "enrolment_key.revoked", str(key_id), after={"name": row.name}
        )
    bus.publish(EnrolmentKeysChanged(principal.tenant_id))
    return row


async def list_templates(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List configuration templates."""
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.tenant_id) as connection:
        return await setup_queries.list_templates(connection, after, limit)


async def create_template(
    db: Database, principal: Principal, vendor: str, model: str, entries: Sequence[Mapping[str, str]]
) -> Row[Any]:
    """Add the settings that a vendor's model gets when it is admitted; model '' is all models of the vendor.

    Raises: TemplateExists.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    try:
        async with db.tenant(principal.tenant_id) as connection:
            row = await setup_queries.insert_template(
                connection,
                {
                    "id": new_uuid(),
                    "tenant_id": principal.tenant_id,
                    "vendor": vendor,
                    "model": model,
                    "entries": list(entries),
                },
            )
            await keep_audit(
                connection,
                principal,
                "template.created",
                str(row.id),
                after={"vendor": vendor, "model": model, "settings": _names(entries)},
            )
    except IntegrityError as error:
        raise TemplateExists(f"'{vendor}' '{model}' has a template already; change that one") from error
    return row


async def change_template(
    db: Database, principal: Principal, template_id: UUID, entries: Sequence[Mapping[str, str]]
) -> Row[Any]:
    """Replace the settings of a template; stations that are admitted already keep theirs.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.tenant_id) as connection:
        before = await _template(connection, template_id)
        row = await setup_queries.update_template(connection, template_id, {"entries": list(entries)})
        await keep_audit(
            connection,
            principal,
            "template.changed",
            str(template_id),
            before={"settings": _names(before.entries)},
            after={"settings": _names(entries)},
        )
    return row


async def remove_template(db: Database, principal: Principal, template_id: UUID) -> None:
    """Remove a template.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.tenant_id) as connection:
        before = await _template(connection, template_id)
        await setup_queries.delete_template(connection, template_id)
        await keep_audit(
            connection,
            principal,
            "template.removed",
            str(template_id),
            before={"vendor": before.vendor, "model": before.model},
        )


async def _template(connection: Any, template_id: UUID) -> Row[Any]:
    row = await setup_queries.find_template_by_id(connection, template_id)
    if row is None:
        raise NotFound(f"there is no configuration template {template_id}")
    return row


def _names(entries: Sequence[Mapping[str, str]]) -> list[str]:
    """Name the settings without their values, which may be secrets."""
    return [entry.get("key") or f"{entry.get('component')}.{entry.get('variable')}" for entry in entries]
