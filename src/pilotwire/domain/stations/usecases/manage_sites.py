"""Sites: the places where stations stand."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.stations import setup_queries
from pilotwire.domain.stations.errors import SiteExists, SiteInUse

__all__ = ["change_site", "create_site", "get_site", "list_sites", "remove_site"]


async def list_sites(
    db: Database, principal: Principal, after: tuple[str, UUID] | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """List sites by name."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.tenant_id) as connection:
        return await setup_queries.list_sites(connection, after, limit)


async def get_site(db: Database, principal: Principal, site_id: UUID) -> Row[Any]:
    """Get a site.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.tenant_id) as connection:
        return await _site(connection, site_id)


async def create_site(db: Database, principal: Principal, values: Mapping[str, Any]) -> Row[Any]:
    """Add a site of `name`, `address`, `city`, `country`, `latitude`, `longitude` and `time_zone`.

    Raises: SiteExists; Invalid for a time zone that nobody knows.
    """
    require(principal, Right.CHANGE_STATIONS)
    _check_zone(values)
    # Columns without a value take none: the schema's defaults are for rows written by hand.
    complete = {"address": "", "city": "", "country": "", "time_zone": "UTC", **values}
    try:
        async with db.tenant(principal.tenant_id) as connection:
            row = await setup_queries.insert_site(
                connection, {"id": new_uuid(), "tenant_id": principal.tenant_id, **complete}
            )
            await keep_audit(connection, principal, "site.created", str(row.id), after=values)
    except IntegrityError as error:
        raise SiteExists(f"there is a site '{values['name']}' already") from error
    return row


async def change_site(
    db: Database, principal: Principal, site_id: UUID, changes: Mapping[str, Any]
) -> Row[Any]:
    """Change a site.

    Raises: NotFound, SiteExists, Invalid.
    """
    require(principal, Right.CHANGE_STATIONS)
    _check_zone(changes)
    try:
        async with db.tenant(principal.tenant_id) as connection:
            before = await _site(connection, site_id)
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
        raise SiteExists(f"there is a site '{changes.get('name')}' already") from error
    return row


async def remove_site(db: Database, principal: Principal, site_id: UUID) -> None:
    """Remove a site to which nothing belongs.

    Raises: NotFound, SiteInUse.
    """
    require(principal, Right.REMOVE_STATIONS)
    try:
        async with db.tenant(principal.tenant_id) as connection:
            before = await _site(connection, site_id)
            await setup_queries.delete_site(connection, site_id)
            await keep_audit(
                connection, principal, "site.removed", str(site_id), before={"name": before.name}
            )
    except IntegrityError as error:
        raise SiteInUse("stations or enrolment keys belong to this site; move them first") from error


async def _site(connection: Any, site_id: UUID) -> Row[Any]:
    row = await setup_queries.find_site(connection, site_id)
    if row is None:
        raise NotFound(f"there is no site {site_id}")
    return row


def _check_zone(values: Mapping[str, Any]) -> None:
    name = values.get("time_zone")
    if name is None:
        return
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            f"'{name[:60]}' is no time zone of the IANA database (such as Europe/Berlin)"
        ) from error
