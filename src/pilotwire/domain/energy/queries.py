"""Energy management in SQL, for people: every query runs in a transaction that sees one tenant."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Row, cast, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.energy.tables import (
    energy_drive,
    energy_history,
    energy_meter,
    energy_override,
    energy_peak,
    energy_site,
    energy_wish,
)
from pilotwire.domain.stations.setup_queries import no_site
from pilotwire.domain.stations.tables import connector, site, station

__all__ = [
    "delete_wish",
    "end_override",
    "find_station",
    "get_site_with_tree",
    "insert_override",
    "keep_tree",
    "keep_wish",
    "list_drives",
    "list_evses",
    "list_meters",
    "list_overrides",
    "list_wishes",
    "lock_tree",
    "sum_history",
    "upsert_reading",
]


async def get_site_with_tree(connection: AsyncConnection, site_id: UUID) -> Any:
    """Get a site with its zone, and its tree where it has one.

    Raises: NotFound.
    """
    query = (
        select(
            site.c.id, site.c.name, site.c.time_zone, energy_site.c.enabled, energy_site.c.tree,
            energy_site.c.version, energy_site.c.changed_by, energy_site.c.changed_at,
        )
        .outerjoin(energy_site, energy_site.c.site_id == site.c.id)
        .where(site.c.id == site_id)
    )  # fmt: skip
    found: Any = (await connection.execute(query)).one_or_none()
    if found is None:
        raise no_site(site_id)
    return found


async def lock_tree(connection: AsyncConnection, site_id: UUID) -> None:
    """Hold a site's tree until the end of the transaction, also where there is none yet."""
    await connection.execute(select(site.c.id).where(site.c.id == site_id).with_for_update(key_share=True))


async def keep_tree(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add or replace a site's tree; its version goes up."""
    query = insert(energy_site).values(version=1, changed_at=func.now(), **values)
    changed = {name: query.excluded[name] for name in ("enabled", "tree", "changed_by", "changed_at")}
    query = query.on_conflict_do_update(
        index_elements=["site_id"], set_={**changed, "version": energy_site.c.version + 1}
    )
    return (await connection.execute(query.returning(*energy_site.c))).one()


async def list_evses(connection: AsyncConnection, site_id: UUID) -> Sequence[Row[Any]]:
    """List a site's stations, each with the numbers of the EVSEs that it has told of."""
    numbers = func.array_agg(connector.c.evse_no.distinct()).filter(connector.c.evse_no > 0)
    query = (
        select(station.c.id, station.c.identity, station.c.vendor, station.c.model, numbers.label("evse_nos"))
        .outerjoin(connector, connector.c.station_id == station.c.id)
        .where(station.c.site_id == site_id)
        .group_by(station.c.id)
        .order_by(station.c.identity)
    )
    return (await connection.execute(query)).all()


async def find_station(connection: AsyncConnection, site_id: UUID, identity: str) -> int | None:
    """Give the number of a site's station."""
    query = select(station.c.id).where(station.c.site_id == site_id, station.c.identity == identity)
    found: int | None = await connection.scalar(query)
    return found


async def list_meters(connection: AsyncConnection, site_id: UUID) -> Sequence[Row[Any]]:
    """List the newest readings of a site's meters."""
    query = select(energy_meter).where(energy_meter.c.site_id == site_id).order_by(energy_meter.c.name)
    return (await connection.execute(query)).all()


async def upsert_reading(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Keep a reading, unless a newer one of the same meter is kept already."""
    query = insert(energy_meter).values(**values)
    changed = {name: query.excluded[name] for name in values if name not in ("site_id", "name", "tenant_id")}
    await connection.execute(
        query.on_conflict_do_update(
            index_elements=["site_id", "name"], set_=changed, where=energy_meter.c.at <= query.excluded.at
        )
    )


async def insert_override(connection: AsyncConnection, values: Mapping[str, Any]) -> Row[Any]:
    """Add an override."""
    query = insert(energy_override).values(created_at=func.now(), **values)
    return (await connection.execute(query.returning(*energy_override.c))).one()


async def list_overrides(connection: AsyncConnection, site_id: UUID, now: datetime) -> Sequence[Row[Any]]:
    """List the overrides of a site that hold now, each with its station's identity."""
    query = (
        select(energy_override, station.c.identity)
        .outerjoin(station, station.c.id == energy_override.c.station_id)
        .where(
            energy_override.c.site_id == site_id,
            energy_override.c.ended_at.is_(None),
            energy_override.c.expires_at > now,
        )
        .order_by(energy_override.c.created_at, energy_override.c.id)
    )
    return (await connection.execute(query)).all()


async def end_override(connection: AsyncConnection, site_id: UUID, override_id: UUID) -> Row[Any] | None:
    """End an override that holds."""
    query = (
        update(energy_override)
        .where(
            energy_override.c.id == override_id,
            energy_override.c.site_id == site_id,
            energy_override.c.ended_at.is_(None),
        )
        .values(ended_at=func.now())
    )
    return (await connection.execute(query.returning(*energy_override.c))).one_or_none()


async def list_wishes(connection: AsyncConnection, session_id: UUID) -> Sequence[Row[Any]]:
    """List what was said of a session's wishes, by source."""
    query = select(energy_wish).where(energy_wish.c.session_id == session_id)
    return (await connection.execute(query)).all()


async def keep_wish(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Add or replace what one source says of a session's wishes."""
    query = insert(energy_wish).values(changed_at=func.now(), **values)
    changed = {
        name: query.excluded[name]
        for name in ("energy_wh", "departure_at", "priority", "details", "changed_by", "changed_at")
    }
    await connection.execute(
        query.on_conflict_do_update(index_elements=["session_id", "source"], set_=changed)
    )


async def delete_wish(connection: AsyncConnection, session_id: UUID, sources: Sequence[str]) -> None:
    """Forget what some sources said of a session's wishes."""
    await connection.execute(
        energy_wish.delete().where(
            energy_wish.c.session_id == session_id, energy_wish.c.source.in_(list(sources))
        )
    )


async def list_drives(connection: AsyncConnection, site_id: UUID) -> Sequence[Row[Any]]:
    """List what a site's stations were told last."""
    query = (
        select(energy_drive, station.c.identity)
        .join(station, station.c.id == energy_drive.c.station_id)
        .where(station.c.site_id == site_id)
    )
    return (await connection.execute(query)).all()


async def sum_history(
    connection: AsyncConnection, site_id: UUID, since: datetime, until: datetime, step_s: int
) -> Sequence[Any]:
    """Give the means of a site's flows in steps, and the month's highest demand beside them."""
    start = func.date_bin(func.make_interval(0, 0, 0, 0, 0, 0, step_s), energy_history.c.received_at, since)
    weight = energy_history.c.interval_s
    flows = ("grid_w", "solar_w", "wind_w", "battery_w", "chargers_w", "base_w")

    def mean(name: str) -> Any:
        value = energy_history.c[name]
        total = func.sum(weight).filter(value.is_not(None))
        return cast(func.sum(value * weight) / func.nullif(total, 0), Float).label(name)

    query = (
        select(
            start.label("at"),
            *(mean(name) for name in flows),
            func.max(energy_history.c.grid_w).label("highest_grid_w"),
            func.avg(energy_history.c.battery_soc_percent).label("battery_soc_percent"),
            func.avg(energy_history.c.price_per_kwh).label("price_per_kwh"),
        )
        .where(
            energy_history.c.site_id == site_id,
            energy_history.c.received_at >= since,
            energy_history.c.received_at < until,
        )
        .group_by(start)
        .order_by(start)
    )
    rows: Sequence[Any] = (await connection.execute(query)).all()
    return rows


async def find_peak(connection: AsyncConnection, site_id: UUID, month: Any) -> Row[Any] | None:
    """Find the highest demand of a month."""
    query = select(energy_peak).where(energy_peak.c.site_id == site_id, energy_peak.c.month == month)
    return (await connection.execute(query)).one_or_none()
