"""Certificates in SQL, for people's requests: one tenant at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.certificates import tables as t
from pilotwire.domain.stations.tables import station, station_presence

__all__ = [
    "delete_root",
    "find_certificate",
    "find_request",
    "find_station",
    "find_upgrade",
    "insert_authority",
    "insert_root",
    "list_authorities",
    "list_certificates",
    "list_requests",
    "list_roots",
    "list_upgrades",
    "lock_certificate",
    "retire_authority",
    "start_upgrade",
    "stop_upgrade",
    "update_certificate",
    "update_request",
]


async def find_station(connection: AsyncConnection, identity: str) -> Row[Any] | None:
    """Find a station with the profile in which it is, or was last, connected."""
    columns: tuple[Any, ...] = (
        *(station.c[name] for name in ("id", "identity", "ocpp_version", "minimum_security_profile")),
        station_presence.c.connected,
        station_presence.c.security_profile,
    )
    query = (
        select(*columns)
        .join(station_presence, station_presence.c.station_id == station.c.id)
        .where(station.c.identity == identity)
    )
    return (await connection.execute(query)).one_or_none()


async def list_authorities(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """List the authorities, the newest first."""
    query = select(t.certificate_authority).order_by(t.certificate_authority.c.created_at.desc())
    return (await connection.execute(query)).all()


async def insert_authority(connection: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Add an authority; False when there is an active one for the purpose already."""
    query = (
        upsert(t.certificate_authority)
        .values(**values)
        .on_conflict_do_nothing()
        .returning(t.certificate_authority.c.id)
    )
    return (await connection.execute(query)).one_or_none() is not None


async def retire_authority(connection: AsyncConnection, tenant_id: int, purpose: str, now: datetime) -> None:
    """Sign nothing more with the active authority; what it has signed stays good."""
    table = t.certificate_authority
    query = update(table).where(
        table.c.tenant_id == tenant_id, table.c.purpose == purpose, table.c.retired_at.is_(None)
    )
    await connection.execute(query.values(retired_at=now))


async def list_certificates(
    connection: AsyncConnection,
    *,
    identity: str | None,
    state: str | None,
    expires_before: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """List stations' certificates, those that end soonest first."""
    table = t.station_certificate
    query = select(table, station.c.identity).join(station, station.c.id == table.c.station_id)
    if identity is not None:
        query = query.where(station.c.identity == identity)
    if state is not None:
        query = query.where(table.c.state == state)
    if expires_before is not None:
        query = query.where(table.c.not_after < expires_before)
    if after is not None:
        moment, certificate_id = after
        query = query.where(
            (table.c.not_after > moment) | ((table.c.not_after == moment) & (table.c.id > certificate_id))
        )
    return (await connection.execute(query.order_by(table.c.not_after, table.c.id).limit(limit))).all()


async def find_certificate(connection: AsyncConnection, certificate_id: UUID) -> Row[Any] | None:
    """Find a station's certificate."""
    table = t.station_certificate
    query = (
        select(table, station.c.identity)
        .join(station, station.c.id == table.c.station_id)
        .where(table.c.id == certificate_id)
    )
    return (await connection.execute(query)).one_or_none()


async def lock_certificate(connection: AsyncConnection, certificate_id: UUID) -> Row[Any] | None:
    """Find a station's certificate and hold it until the end of the transaction."""
    table = t.station_certificate
    query = (
        select(table, station.c.identity)
        .join(station, station.c.id == table.c.station_id)
        .where(table.c.id == certificate_id)
        .with_for_update(of=table)
    )
    return (await connection.execute(query)).one_or_none()


async def update_certificate(
    connection: AsyncConnection, certificate_id: UUID, values: Mapping[str, Any]
) -> None:
    """Change a certificate that is known to exist."""
    table = t.station_certificate
    await connection.execute(update(table).where(table.c.id == certificate_id).values(**values))


async def list_requests(
    connection: AsyncConnection, *, identity: str | None, state: str | None, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """List requests for certificates, the newest first."""
    table = t.certificate_request
    query = select(table, station.c.identity).join(station, station.c.id == table.c.station_id)
    if identity is not None:
        query = query.where(station.c.identity == identity)
    if state is not None:
        query = query.where(table.c.state == state)
    if after is not None:
        query = query.where(table.c.id < after)
    return (await connection.execute(query.order_by(table.c.id.desc()).limit(limit))).all()


async def find_request(connection: AsyncConnection, request_id: UUID) -> Row[Any] | None:
    """Find a request for a certificate and hold it until the end of the transaction."""
    table = t.certificate_request
    query = (
        select(table, station.c.identity)
        .join(station, station.c.id == table.c.station_id)
        .where(table.c.id == request_id)
        .with_for_update(of=table)
    )
    return (await connection.execute(query)).one_or_none()


async def update_request(connection: AsyncConnection, request_id: UUID, values: Mapping[str, Any]) -> None:
    """Change a request that is known to exist."""
    table = t.certificate_request
    await connection.execute(update(table).where(table.c.id == request_id).values(**values))


async def list_roots(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """List the roots that the operator keeps for installation into stations."""
    query = select(t.trusted_root).order_by(t.trusted_root.c.use, t.trusted_root.c.not_after)
    return (await connection.execute(query)).all()


async def insert_root(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any] | None:
    """Keep a root; None when it is there already."""
    query = upsert(t.trusted_root).values(**values).on_conflict_do_nothing().returning(*t.trusted_root.c)
    return (await connection.execute(query)).one_or_none()


async def delete_root(connection: AsyncConnection, root_id: UUID) -> bool:
    """Forget a root; whether it was there."""
    query = delete(t.trusted_root).where(t.trusted_root.c.id == root_id)
    return (await connection.execute(query)).rowcount == 1


async def start_upgrade(connection: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Start a station's move to a safer profile; False while one is under way."""
    table = t.security_upgrade
    found = await connection.execute(
        select(table.c.finished_at).where(table.c.station_id == values["station_id"]).with_for_update()
    )
    row = found.one_or_none()
    if row is not None and row.finished_at is None:
        return False
    await connection.execute(delete(table).where(table.c.station_id == values["station_id"]))
    await connection.execute(insert(table).values(**values))
    return True


async def stop_upgrade(connection: AsyncConnection, station_id: int, detail: str, now: datetime) -> bool:
    """Give an upgrade up; whether one was under way."""
    table = t.security_upgrade
    query = (
        update(table)
        .where(table.c.station_id == station_id, table.c.finished_at.is_(None))
        .values(step="failed", detail=detail, finished_at=now)
    )
    return (await connection.execute(query)).rowcount == 1


async def find_upgrade(connection: AsyncConnection, station_id: int) -> Row[Any] | None:
    """Find the newest upgrade of a station."""
    table = t.security_upgrade
    query = select(table, station.c.identity).join(station, station.c.id == table.c.station_id)
    return (await connection.execute(query.where(table.c.station_id == station_id))).one_or_none()


async def list_upgrades(connection: AsyncConnection, *, open_only: bool) -> Sequence[Row[Any]]:
    """List upgrades, the newest first."""
    table = t.security_upgrade
    query = select(table, station.c.identity).join(station, station.c.id == table.c.station_id)
    if open_only:
        query = query.where(table.c.finished_at.is_(None))
    return (await connection.execute(query.order_by(table.c.started_at.desc()).limit(1000))).all()
