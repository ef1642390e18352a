"""Sites: the places where stations stand."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from pilotwire.core.ids import new_uuid
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import setup_queries
from pilotwire.domain.stations.errors import SiteExists, SiteInUse
from pilotwire.domain.stations.setup_queries import SiteFilter
from pilotwire.domain.stations.site import checked_site

__all__ = ["change_site", "create_site", "get_site", "list_sites", "remove_site"]


async def list_sites(
    db: Database,
    principal: Principal,
    wanted: SiteFilter,
    after: tuple[str, UUID] | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List sites by name."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await setup_queries.list_sites(connection, wanted, after, limit)


async def get_site(db: Database, principal: Principal, site_id: UUID) -> Row[Any]:
    """Get a site.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await setup_queries.get_site(connection, site_id)


async def create_site(db: Database, principal: Principal, values: Mapping[str, Any]) -> Row[Any]:
    """Add a site of `name` and whatever else its columns take.

    Raises: SiteExists; Invalid for a time zone that nobody knows, opening hours that overlap and the like.
    """
    require(principal, Right.CHANGE_STATIONS)
    values = checked_site(values)
    # Columns without a value take none: the schema's defaults are for rows written by hand.
    complete = {"address": "", "city": "", "country": "", "time_zone": "UTC", **values}
    try:
        async with db.tenant(principal.scope) as connection:
            row = await setup_queries.insert_site(
                connection, {"id": new_uuid(), "tenant_id": principal.tenant_id, **complete}
            )
            await keep_audit(connection, principal, "site.created", str(row.id), after=values)
    except IntegrityError as error:
        raise SiteExists(
            say("site_exists", "there is a site '{name}' already", name=values["name"])
        ) from error
    return row


async def change_site(
    db: Database, principal: Principal, site_id: UUID, changes: Mapping[str, Any]
) -> Row[Any]:
    """Change a site.

    Raises: NotFound, SiteExists, Invalid.
    """
    require(principal, Right.CHANGE_STATIONS)
    changes = checked_site(changes)
    try:
        async with db.tenant(principal.scope) as connection:
            before = await setup_queries.get_site(connection, site_id)
            if not changes:
                return before
            row = await setup_queries.update_site(connection, site_id, changes)
            await keep_audit(
                connection,
                principal,
                "site.changed",
                str(site_id),
                before={key: getattr(before, key) for key in changes},
                after=changes,
            )
    except IntegrityError as error:
        raise SiteExists(
            say("site_exists", "there is a site '{name}' already", name=changes.get("name"))
        ) from error
    return row


async def remove_site(db: Database, principal: Principal, site_id: UUID) -> None:
    """Remove a site to which nothing belongs.

    Raises: NotFound, SiteInUse.
    """
    require(principal, Right.REMOVE_STATIONS)
    try:
        async with db.tenant(principal.scope) as connection:
            before = await setup_queries.get_site(connection, site_id)
            await setup_queries.delete_site(connection, site_id)
            await keep_audit(
                connection, principal, "site.removed", str(site_id), before={"name": before.name}
            )
    except IntegrityError as error:
        raise SiteInUse(
            say("site_in_use", "stations or enrolment keys belong to this site; move them first")
        ) from error
