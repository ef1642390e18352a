"""Device models, templates and drift in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.configuration.tables import (
    configuration_template,
    device_drift,
    device_model,
    device_value,
    device_variable,
)
from pilotwire.domain.stations.tables import station

__all__ = [
    "VariableFilter",
    "delete_template",
    "find_model",
    "find_template",
    "insert_template",
    "list_drift",
    "list_drifting",
    "list_history",
    "list_templates",
    "list_variables",
    "update_template",
]

_VARIABLE = tuple(column for column in device_variable.c if column.name not in ("tenant_id", "station_id"))
_TEMPLATE = tuple(
    column for column in configuration_template.c if column.name not in ("tenant_id", "station_id")
)
_MODEL = tuple(column for column in device_model.c if column.name not in ("tenant_id", "station_id"))


@dataclass(frozen=True, slots=True)
class VariableFilter:
    """Which variables to list; None leaves a question open. `search` looks into names, keys and values."""

    search: str | None = None
    component: str | None = None
    evse_id: int | None = None
    writable: bool | None = None
    path: str | None = None


async def find_model(connection: AsyncConnection, station_id: int) -> Row[Any] | None:
    """Find how far the reading of a station's device model has come."""
    return (
        await connection.execute(select(*_MODEL).where(device_model.c.station_id == station_id))
    ).one_or_none()


async def list_variables(
    connection: AsyncConnection,
    station_id: int,
    wanted: VariableFilter,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List a station's variables by path and attribute."""
    table = device_variable.c
    query = select(*_VARIABLE).where(table.station_id == station_id)
    if wanted.search:
        pattern = f"%{_escaped(wanted.search)}%"
        query = query.where(
            or_(table.path.ilike(pattern), table.key.ilike(pattern), table.value.ilike(pattern))
        )
    if wanted.component is not None:
        query = query.where(func.lower(table.component) == wanted.component.lower())
    if wanted.evse_id is not None:
        query = query.where(table.evse_no == wanted.evse_id)
    if wanted.writable is not None:
        takes = table.mutability != "read_only"
        query = query.where(takes if wanted.writable else ~takes)
    if wanted.path is not None:
        query = query.where(table.path == wanted.path)
    if after is not None:
        query = query.where(tuple_(table.path, table.attribute) > after)
    return (await connection.execute(query.order_by(table.path, table.attribute).limit(limit))).all()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def list_history(
    connection: AsyncConnection,
    station_id: int,
    path: str | None,
    before: tuple[datetime, str, str] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List the values that a station's variables have had, the newest first."""
    table = device_value.c
    query = select(device_value)
    query = query.where(table.station_id == station_id)
    if path is not None:
        query = query.where(table.path == path)
    key = tuple_(table.received_at, table.path, table.attribute)
    if before is not None:
        query = query.where(key < before)
    query = query.order_by(table.received_at.desc(), table.path.desc(), table.attribute.desc())
    found: Sequence[Row[Any]] = (await connection.execute(query.limit(limit))).all()
    return found


async def list_drifting(
    connection: AsyncConnection, site_id: UUID | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """List the stations that differ from their templates, by identity."""
    query: Select[Any] = (
        select(
            station.c.identity, station.c.vendor, station.c.model, station.c.firmware_version, station.c.site_id,
            device_model.c.drifting, device_model.c.compared_at, device_model.c.read_at, device_model.c.reboot_pending,
        )
        .join(device_model, device_model.c.station_id == station.c.id)
        .where(device_model.c.drifting > 0)
    )  # fmt: skip
    if site_id is not None:
        query = query.where(station.c.site_id == site_id)
    if after is not None:
        query = query.where(station.c.identity > after)
    found: Sequence[Row[Any]] = (
        await connection.execute(query.order_by(station.c.identity).limit(limit))
    ).all()
    return found


async def list_drift(connection: AsyncConnection, station_id: int) -> Sequence[Row[Any]]:
    """List where a station differs from its templates."""
    query = (
        select(device_drift)
        .where(device_drift.c.station_id == station_id)
        .order_by(device_drift.c.path, device_drift.c.attribute)
    )
    return (await connection.execute(query)).all()


def _templates() -> Any:
    return select(*_TEMPLATE, station.c.identity.label("station_id")).outerjoin(
        station, station.c.id == configuration_template.c.station_id
    )


async def list_templates(connection: AsyncConnection, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """List configuration templates in the order of their making."""
    query = _templates().order_by(configuration_template.c.id).limit(limit)
    if after is not None:
        query = query.where(configuration_template.c.id > after)
    found: Sequence[Row[Any]] = (await connection.execute(query)).all()
    return found


async def find_template(connection: AsyncConnection, template_id: UUID) -> Row[Any] | None:
    """Find a configuration template."""
    query = _templates().where(configuration_template.c.id == template_id)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


async def insert_template(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add a configuration template."""
    await connection.execute(insert(configuration_template).values(**values))


async def update_template(connection: AsyncConnection, template_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a configuration template that is known to exist."""
    await connection.execute(
        update(configuration_template)
        .where(configuration_template.c.id == template_id)
        .values(**values, changed_at=func.now())
    )


async def delete_template(connection: AsyncConnection, template_id: UUID) -> None:
    """Remove a configuration template."""
    await connection.execute(delete(configuration_template).where(configuration_template.c.id == template_id))
