"""Sites, enrolment keys and configuration templates in SQL, for people."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.stations.tables import configuration_template, enrolment_key, site

__all__ = [
    "delete_site",
    "delete_template",
    "find_site",
    "find_template_by_id",
    "insert_enrolment_key",
    "insert_site",
    "insert_template",
    "list_enrolment_keys",
    "list_sites",
    "list_templates",
    "revoke_enrolment_key",
    "update_site",
    "update_template",
]

_SITE = tuple(column for column in site.c if column.name != "tenant_id")
_TEMPLATE = tuple(column for column in configuration_template.c if column.name != "tenant_id")
_KEY = tuple(column for column in enrolment_key.c if column.name not in ("tenant_id", "digest"))


async def list_sites(
    connection: AsyncConnection, after: tuple[str, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """List sites by name."""
    query = select(*_SITE).order_by(site.c.name, site.c.id).limit(limit)
    if after is not None:
        name, site_id = after
        query = query.where((site.c.name > name) | ((site.c.name == name) & (site.c.id > site_id)))
    return (await connection.execute(query)).all()


async def find_site(connection: AsyncConnection, site_id: UUID) -> Row[Any] | None:
    """Find a site."""
    return (await connection.execute(select(*_SITE).where(site.c.id == site_id))).one_or_none()


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


async def list_templates(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """List configuration templates in the order of their making."""
    query = select(*_TEMPLATE).order_by(configuration_template.c.id).limit(limit)
    if after is not None:
        query = query.where(configuration_template.c.id > after)
    return (await connection.execute(query)).all()


async def find_template_by_id(connection: AsyncConnection, template_id: UUID) -> Row[Any] | None:
    """Find a configuration template."""
    query = select(*_TEMPLATE).where(configuration_template.c.id == template_id)
    return (await connection.execute(query)).one_or_none()


async def insert_template(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add a configuration template."""
    return (
        await connection.execute(insert(configuration_template).values(**values).returning(*_TEMPLATE))
    ).one()


async def update_template(
    connection: AsyncConnection, template_id: UUID, values: Mapping[str, Any]
) -> Row[Any]:
    """Change a configuration template that is known to exist."""
    query = (
        update(configuration_template)
        .where(configuration_template.c.id == template_id)
        .values(**values)
        .returning(*_TEMPLATE)
    )
    return (await connection.execute(query)).one()


async def delete_template(connection: AsyncConnection, template_id: UUID) -> None:
    """Remove a configuration template."""
    await connection.execute(delete(configuration_template).where(configuration_template.c.id == template_id))
