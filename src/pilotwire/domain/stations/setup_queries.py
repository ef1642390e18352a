"""Sites and enrolment keys in SQL, for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import NotFound
from pilotwire.core.texts import say
from pilotwire.domain.stations.tables import enrolment_key, site

__all__ = [
    "SiteFilter",
    "delete_site",
    "get_site",
    "insert_enrolment_key",
    "insert_site",
    "list_enrolment_keys",
    "list_sites",
    "no_site",
    "revoke_enrolment_key",
    "update_site",
]


@dataclass(frozen=True, slots=True)
class SiteFilter:
    """Which sites to list; None leaves a question open. `search` looks into name, address and city."""

    tag: str | None = None
    country: str | None = None
    search: str | None = None


_SITE = tuple(column for column in site.c if column.name != "tenant_id")
_KEY = tuple(column for column in enrolment_key.c if column.name not in ("tenant_id", "digest"))


async def list_sites(
    connection: AsyncConnection, wanted: SiteFilter, after: tuple[str, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """List sites by name."""
    query = select(*_SITE).order_by(site.c.name, site.c.id).limit(limit)
    if wanted.tag is not None:
        query = query.where(site.c.tags.contains([wanted.tag]))
    if wanted.country is not None:
        query = query.where(site.c.country == wanted.country)
    if wanted.search:
        pattern = "%" + wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        words = func.concat_ws(" ", site.c.name, site.c.address, site.c.city)
        query = query.where(words.ilike(pattern, escape="\\"))
    if after is not None:
        name, site_id = after
        query = query.where((site.c.name > name) | ((site.c.name == name) & (site.c.id > site_id)))
    return (await connection.execute(query)).all()


async def get_site(connection: AsyncConnection, site_id: UUID) -> Row[Any]:
    """Get a site.

    Raises: NotFound, also of a site that foreign keys would accept: they see every tenant.
    """
    found = (await connection.execute(select(*_SITE).where(site.c.id == site_id))).one_or_none()
    if found is None:
        raise no_site(site_id)
    return found


def no_site(site_id: UUID) -> NotFound:
    """Say that there is no such site."""
    return NotFound(say("site_unknown", "there is no site {site}", site=site_id))


async def insert_site(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add a site."""
    return (await connection.execute(insert(site).values(**values).returning(*_SITE))).one()


async def update_site(connection: AsyncConnection, site_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """Change a site that is known to exist."""
    query = update(site).where(site.c.id == site_id).values(**values).returning(*_SITE)
    return (await connection.execute(query)).one()


async def delete_site(connection: AsyncConnection, site_id: UUID) -> None:
    """Remove a site."""
    await connection.execute(delete(site).where(site.c.id == site_id))


async def insert_enrolment_key(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add an enrolment key."""
    return (await connection.execute(insert(enrolment_key).values(**values).returning(*_KEY))).one()


async def list_enrolment_keys(
    connection: AsyncConnection, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List enrolment keys in the order of their making, revoked ones too."""
    query = select(*_KEY).order_by(enrolment_key.c.id).limit(limit)
    if after is not None:
        query = query.where(enrolment_key.c.id > after)
    return (await connection.execute(query)).all()


async def revoke_enrolment_key(connection: AsyncConnection, key_id: UUID) -> Row[Any] | None:
    """Revoke an enrolment key; None when there is none. One that is revoked already keeps its moment."""
    query = (
        update(enrolment_key)
        .where(enrolment_key.c.id == key_id)
        .values(revoked_at=func.coalesce(enrolment_key.c.revoked_at, func.now()))
        .returning(*_KEY)
    )
    return (await connection.execute(query)).one_or_none()
