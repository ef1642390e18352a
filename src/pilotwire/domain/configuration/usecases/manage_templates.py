"""Configuration templates: what stations of a make, a site or a name are to be set to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.bus import LocalBus
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.configuration import queries
from pilotwire.domain.configuration.compare import entry_refusal, setting_of
from pilotwire.domain.configuration.errors import TemplateExists
from pilotwire.domain.configuration.events import TemplatesChanged
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import queries as stations
from pilotwire.domain.stations import setup_queries as sites

__all__ = [
    "TemplateDraft",
    "change_template",
    "create_template",
    "get_template",
    "list_templates",
    "remove_template",
]

Entries = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template to be made. '' fits every make; `*` in model and firmware stands for any characters.

    Without `site_id` and `station_id` it is for all stations; with one of them it wins over those.
    """

    vendor: str = ""
    model: str = ""
    firmware_version: str = ""
    site_id: UUID | None = None
    station_id: str | None = None
    name: str = ""
    entries: Entries = ()


async def list_templates(
    db: Database, principal: Principal, after: UUID | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List configuration templates."""
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.scope) as connection:
        return await queries.list_templates(connection, after, limit)


async def get_template(db: Database, principal: Principal, template_id: UUID) -> Row[Any]:
    """Get a configuration template.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.scope) as connection:
        return await _template(connection, template_id)


async def create_template(
    db: Database, bus: LocalBus, principal: Principal, draft: TemplateDraft
) -> Row[Any]:
    """Add a template: stations get its settings when they are admitted, and drift where they differ.

    Raises: TemplateExists, Invalid with the entry that is wrong, NotFound for site or station.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    _check(draft.entries)
    if draft.site_id is not None and draft.station_id is not None:
        raise Invalid(
            say(
                "template_place",
                "give a site_id or a station_id, not both: a station's template wins over its site's anyway",
            )
        )
    template_id = new_uuid()
    try:
        async with db.tenant(principal.scope) as connection:
            values = await _place(connection, draft)
            entries = [dict(entry) for entry in draft.entries]
            await queries.insert_template(
                connection,
                {**values, "id": template_id, "tenant_id": principal.tenant_id, "entries": entries},
            )
            facts = {"vendor": draft.vendor, "model": draft.model, "settings": _names(entries)}
            await keep_audit(connection, principal, "template.created", str(template_id), after=facts)
            row = await _template(connection, template_id)
    except IntegrityError as error:
        raise TemplateExists(
            say(
                "template_exists",
                "'{vendor}' '{model}' has a template for the same stations already; change that one",
                vendor=draft.vendor,
                model=draft.model,
            )
        ) from error
    bus.publish(TemplatesChanged(principal.tenant_id))
    return row


async def change_template(
    db: Database,
    bus: LocalBus,
    principal: Principal,
    template_id: UUID,
    *,
    entries: Entries | None = None,
    name: str | None = None,
) -> Row[Any]:
    """Replace the settings or the name of a template; stations that differ from now on are found to drift.

    Raises: NotFound, Invalid.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    _check(entries or ())
    async with db.tenant(principal.scope) as connection:
        before = await _template(connection, template_id)
        values: dict[str, Any] = {} if name is None else {"name": name}
        if entries is not None:
            values["entries"] = [dict(entry) for entry in entries]
        if values:
            await queries.update_template(connection, template_id, values)
            await keep_audit(
                connection,
                principal,
                "template.changed",
                str(template_id),
                before={"settings": _names(before.entries)},
                after={"settings": _names(values.get("entries", before.entries))},
            )
        row = await _template(connection, template_id)
    bus.publish(TemplatesChanged(principal.tenant_id))
    return row


async def remove_template(db: Database, bus: LocalBus, principal: Principal, template_id: UUID) -> None:
    """Remove a template; stations keep what they are set to.

    Raises: NotFound.
    """
    require(principal, Right.MANAGE_ONBOARDING)
    async with db.tenant(principal.scope) as connection:
        before = await _template(connection, template_id)
        await queries.delete_template(connection, template_id)
        facts = {"vendor": before.vendor, "model": before.model}
        await keep_audit(connection, principal, "template.removed", str(template_id), before=facts)
    bus.publish(TemplatesChanged(principal.tenant_id))


def _check(entries: Entries) -> None:
    seen: dict[tuple[str, str], tuple[int, str]] = {}
    for number, entry in enumerate(entries):
        if wrong := entry_refusal(entry):
            raise Invalid(f"entries.{number}: {wrong}")
        setting = setting_of(entry)
        place = setting.variable.path, setting.attribute
        first, value = seen.setdefault(place, (number, setting.value))
        if value != setting.value:
            raise Invalid(
                say(
                    "template_twice",
                    "entries.{number}: '{name}' has another value in entry {first}",
                    number=number,
                    name=setting.variable.name,
                    first=first,
                )
            )


async def _place(connection: AsyncConnection, draft: TemplateDraft) -> dict[str, Any]:
    """Look site and station up: foreign keys see every tenant."""
    station_id = None
    if draft.site_id is not None:
        await sites.get_site(connection, draft.site_id)
    if draft.station_id is not None:
        station_id = await stations.find_station_id(connection, draft.station_id)
        if station_id is None:
            raise NotFound(
                say("station_unknown", "there is no station '{station}'", station=draft.station_id)
            )
    return {
        "vendor": draft.vendor,
        "model": draft.model,
        "firmware_version": draft.firmware_version,
        "site_id": draft.site_id,
        "station_id": station_id,
        "name": draft.name,
    }


async def _template(connection: AsyncConnection, template_id: UUID) -> Row[Any]:
    row = await queries.find_template(connection, template_id)
    if row is None:
        raise NotFound(
            say("template_unknown", "there is no configuration template {template}", template=template_id)
        )
    return row


def _names(entries: Entries) -> list[str]:
    return [setting_of(entry).variable.name for entry in entries]
