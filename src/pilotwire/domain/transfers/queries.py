"""Firmware and logs in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.stations.tables import station
from pilotwire.domain.transfers.tables import firmware_image, station_log

__all__ = [
    "count_versions",
    "delete_image",
    "delete_log",
    "find_image",
    "find_log",
    "insert_image",
    "list_images",
    "list_logs",
    "lock_image",
    "share_image",
    "update_image",
]

_IMAGE = tuple(column for column in firmware_image.c if column.name != "tenant_id")
_LOG = (
    *(column for column in station_log.c if column.name not in ("tenant_id", "station_id")),
    station.c.identity,
)


async def insert_image(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add firmware."""
    return (await connection.execute(insert(firmware_image).values(**values).returning(*_IMAGE))).one()


async def find_image(connection: AsyncConnection, image_id: UUID) -> Row[Any] | None:
    """Find firmware."""
    return (await connection.execute(select(*_IMAGE).where(firmware_image.c.id == image_id))).one_or_none()


async def lock_image(connection: AsyncConnection, image_id: UUID) -> Row[Any] | None:
    """Find firmware and hold it alone until the end of the transaction."""
    query = select(*_IMAGE).where(firmware_image.c.id == image_id).with_for_update()
    return (await connection.execute(query)).one_or_none()


async def share_image(connection: AsyncConnection, image_id: UUID) -> Row[Any] | None:
    """Find firmware; until the end of the transaction nobody removes it."""
    query = select(*_IMAGE).where(firmware_image.c.id == image_id).with_for_update(read=True)
    return (await connection.execute(query)).one_or_none()


async def list_images(
    connection: AsyncConnection, vendor: str | None, model: str | None, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List firmware, the newest first."""
    query = select(*_IMAGE).order_by(firmware_image.c.id.desc()).limit(limit)
    if vendor is not None:
        query = query.where(func.lower(firmware_image.c.vendor) == vendor.lower())
    if model is not None:
        query = query.where(func.lower(firmware_image.c.model).in_((model.lower(), "")))
    if before is not None:
        query = query.where(firmware_image.c.id < before)
    return (await connection.execute(query)).all()


async def update_image(connection: AsyncConnection, image_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """Change firmware that is known to exist."""
    query = update(firmware_image).where(firmware_image.c.id == image_id).values(**values).returning(*_IMAGE)
    return (await connection.execute(query)).one()


async def delete_image(connection: AsyncConnection, image_id: UUID) -> None:
    """Remove firmware."""
    await connection.execute(delete(firmware_image).where(firmware_image.c.id == image_id))


_VERSIONS = text("""
WITH counted AS (
    SELECT vendor, model, firmware_version, count(*)::int AS stations,
        (count(*) FILTER (WHERE p.connected))::int AS connected
    FROM station s LEFT JOIN station_presence p ON p.station_id = s.id
    WHERE vendor <> '' GROUP BY vendor, model, firmware_version)
SELECT c.*, n.id AS newest_image_id, n.version AS newest_version,
    n.id IS NOT NULL AND n.version <> c.firmware_version AS behind
FROM counted c LEFT JOIN LATERAL (
    SELECT i.id, i.version FROM firmware_image i
    WHERE lower(i.vendor) = lower(c.vendor) AND lower(i.model) IN (lower(c.model), '') AND i.uploaded_at IS NOT NULL
    ORDER BY i.model = '', i.id DESC LIMIT 1) AS n ON true
WHERE (CAST(:vendor AS text) IS NULL OR (c.vendor, c.model, c.firmware_version) > (:vendor, :model, :version))
ORDER BY c.vendor, c.model, c.firmware_version LIMIT :limit
""")


async def count_versions(
    connection: AsyncConnection, after: tuple[str, str, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Count stations by make and firmware, each with the newest firmware for the make."""
    vendor, model, version = after or (None, None, None)
    values = {"vendor": vendor, "model": model, "version": version, "limit": limit}
    return (await connection.execute(_VERSIONS, values)).all()


async def list_logs(
    connection: AsyncConnection, station_identity: str | None, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List logs, the newest first."""
    query = select(*_LOG).join(station, station.c.id == station_log.c.station_id)
    if station_identity is not None:
        query = query.where(station.c.identity == station_identity)
    if before is not None:
        query = query.where(station_log.c.id < before)
    return (await connection.execute(query.order_by(station_log.c.id.desc()).limit(limit))).all()


async def find_log(connection: AsyncConnection, log_id: UUID) -> Row[Any] | None:
    """Find a log."""
    query = select(*_LOG).join(station, station.c.id == station_log.c.station_id)
    return (await connection.execute(query.where(station_log.c.id == log_id))).one_or_none()


async def delete_log(connection: AsyncConnection, log_id: UUID) -> None:
    """Remove a log."""
    await connection.execute(delete(station_log).where(station_log.c.id == log_id))
