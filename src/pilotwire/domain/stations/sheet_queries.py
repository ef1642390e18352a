"""Stations and sites in SQL, by the thousand: what imports and exports of tables need."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.stations.model import StationRecord
from pilotwire.domain.stations.queries import RECORD_COLUMNS
from pilotwire.domain.stations.repository import record_of
from pilotwire.domain.stations.tables import site, station, station_presence

__all__ = [
    "insert_sites",
    "insert_stations",
    "list_site_rows",
    "list_station_records",
    "list_station_rows",
    "lock_sites",
    "lock_stations",
    "site_ids",
    "update_sites",
    "update_stations",
]

_STATION = (
    "id", "identity", "name", "site_id", "admission", "minimum_security_profile", "tags", "secret_digest",
    "next_secret_digest",
)  # fmt: skip
_SITE = tuple(column.name for column in site.c if column.name not in ("tenant_id", "created_at"))
_TEXTS = "ARRAY(SELECT json_array_elements_text(n.tags))"


def _encoded(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    plain = [
        {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
        for row in rows
    ]
    return {"rows": msgspec.json.encode(plain).decode()}


async def lock_stations(connection: AsyncConnection, identities: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the stations named and hold them until the end of the transaction."""
    query = select(*(station.c[name] for name in _STATION)).where(
        station.c.identity == func.any(list(identities))
    )
    rows = await connection.execute(query.order_by(station.c.id).with_for_update())
    return {row.identity: dict(row._mapping) for row in rows}


async def site_ids(connection: AsyncConnection, names: Sequence[str]) -> dict[str, UUID]:
    """Give the ids of the sites named."""
    query = select(site.c.name, site.c.id).where(site.c.name == func.any(list(names)))
    return {row.name: row.id for row in await connection.execute(query)}


async def insert_stations(
    connection: AsyncConnection, tenant_id: int, rows: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Add stations; give the numbers of those that were added, by identity."""
    if not rows:
        return {}
    found = await connection.execute(
        text(
            "WITH added AS (INSERT INTO station (tenant_id, identity, name, site_id, admission, secret_digest,"  # noqa: S608
            " minimum_security_profile, tags) SELECT :tenant_id, n.identity, n.name, n.site_id, n.admission,"
            f" decode(n.secret_digest, 'hex'), n.minimum_security_profile, {_TEXTS}"
            " FROM json_to_recordset(CAST(:rows AS json)) AS n (identity text, name text, site_id uuid, admission text,"
            " secret_digest text, minimum_security_profile smallint, tags json)"
            " ON CONFLICT (identity) DO NOTHING RETURNING id, tenant_id, identity),"
            " present AS (INSERT INTO station_presence (station_id, tenant_id) SELECT id, tenant_id FROM added)"
            " SELECT id, identity FROM added"
        ),
        {"tenant_id": tenant_id, **_encoded(rows)},
    )
    return {row.identity: row.id for row in found}


async def update_stations(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change stations; a row has every column."""
    if not rows:
        return
    await connection.execute(
        text(
            "UPDATE station SET name = n.name, site_id = n.site_id, admission = n.admission,"  # noqa: S608
            " secret_digest = decode(n.secret_digest, 'hex'), next_secret_digest = decode(n.next_secret_digest, 'hex'),"
            f" minimum_security_profile = n.minimum_security_profile, tags = {_TEXTS}"
            " FROM json_to_recordset(CAST(:rows AS json)) AS n (id int, name text, site_id uuid, admission text,"
            " secret_digest text, next_secret_digest text, minimum_security_profile smallint, tags json)"
            " WHERE station.id = n.id"
        ),
        _encoded(rows),
    )


async def list_station_records(
    connection: AsyncConnection, station_ids: Sequence[int]
) -> list[StationRecord]:
    """Read the records of the stations numbered."""
    query = select(*RECORD_COLUMNS).where(station.c.id == func.any(list(station_ids)))
    return [record_of(row._mapping) for row in await connection.execute(query)]


async def list_station_rows(connection: AsyncConnection, after: str, limit: int) -> Sequence[Row[Any]]:
    """List stations by identity with the names of their sites."""
    query = (
        select(station, site.c.name.label("site_name"), station_presence.c.last_seen_at)
        .outerjoin(site, site.c.id == station.c.site_id)
        .outerjoin(station_presence, station_presence.c.station_id == station.c.id)
        .where(station.c.identity > after)
        .order_by(station.c.identity)
        .limit(limit)
    )
    return (await connection.execute(query)).all()


async def lock_sites(connection: AsyncConnection, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the sites named and hold them until the end of the transaction."""
    query = select(*(site.c[name] for name in _SITE)).where(site.c.name == func.any(list(names)))
    rows = await connection.execute(query.order_by(site.c.id).with_for_update())
    return {row.name: dict(row._mapping) for row in rows}


_SITE_ROWS = (
    "json_to_recordset(CAST(:rows AS json)) AS n (id uuid, name text, address text, city text, country text,"
    " latitude float8, longitude float8, time_zone text, access_notes text, opening_hours jsonb, contacts jsonb,"
    " grid_connection jsonb, tags json)"
)
_SITE_VALUES = (
    f"n.name, n.address, n.city, n.country, n.latitude, n.longitude, n.time_zone, n.access_notes,"
    f" n.opening_hours, n.contacts, n.grid_connection, {_TEXTS}"
)
_SITE_NAMES = (
    "name, address, city, country, latitude, longitude, time_zone, access_notes, opening_hours, contacts,"
    " grid_connection, tags"
)


async def insert_sites(
    connection: AsyncConnection, tenant_id: int, rows: Sequence[Mapping[str, Any]]
) -> set[str]:
    """Add sites; give the names of those that were added."""
    if not rows:
        return set()
    found = await connection.execute(
        text(
            f"INSERT INTO site (id, tenant_id, {_SITE_NAMES}) SELECT n.id, :tenant_id, {_SITE_VALUES}"  # noqa: S608
            f" FROM {_SITE_ROWS} ON CONFLICT (tenant_id, name) DO NOTHING RETURNING name"
        ),
        {"tenant_id": tenant_id, **_encoded(rows)},
    )
    return {row.name for row in found}


async def update_sites(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change sites; a row has every column."""
    if rows:
        await connection.execute(
            text(
                f"UPDATE site SET ({_SITE_NAMES}) = (SELECT {_SITE_VALUES}) FROM {_SITE_ROWS}"  # noqa: S608
                " WHERE site.id = n.id"
            ),
            _encoded(rows),
        )


async def list_site_rows(connection: AsyncConnection, after: str, limit: int) -> Sequence[Row[Any]]:
    """List sites by name."""
    query = select(*(site.c[name] for name in _SITE)).where(site.c.name > after)
    return (await connection.execute(query.order_by(site.c.name).limit(limit))).all()
