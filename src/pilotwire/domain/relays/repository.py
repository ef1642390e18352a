"""Relays in SQL: for people's requests one tenant at a time, for the stations' edge all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.relays.model import SharedTransaction
from pilotwire.domain.relays.records import RelayMessageKept
from pilotwire.domain.relays.tables import relay_message, station_relay
from pilotwire.domain.stations.tables import station

__all__ = [
    "delete_relay",
    "find_relay",
    "forget_messages",
    "keep_relay",
    "keep_transaction",
    "list_every_relay",
    "list_led_by_other",
    "list_relays",
    "list_transactions",
    "list_waiting",
]

_KEPT_TRANSACTIONS = 50


async def list_relays(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """List the tenant's relays by station."""
    query = select(station_relay, station.c.identity).join(
        station, station.c.id == station_relay.c.station_id
    )
    return (await connection.execute(query.order_by(station.c.identity))).all()


async def find_relay(connection: AsyncConnection, station_id: int) -> Row[Any] | None:
    """Find a station's relay."""
    query = (
        select(station_relay, station.c.identity)
        .join(station, station.c.id == station_relay.c.station_id)
        .where(station_relay.c.station_id == station_id)
    )
    return (await connection.execute(query)).one_or_none()


async def keep_relay(connection: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Set a station's relay, in the place of the one of before."""
    changes = {name: values[name] for name in values if name != "station_id"}
    query = insert(station_relay).values(**values)
    await connection.execute(query.on_conflict_do_update(index_elements=["station_id"], set_=changes))


async def delete_relay(connection: AsyncConnection, station_id: int) -> bool:
    """Remove a station's relay, and what the other back end was still to be told; whether there was one."""
    await forget_messages(connection, station_id)
    result = await connection.execute(delete(station_relay).where(station_relay.c.station_id == station_id))
    return result.rowcount == 1


async def forget_messages(connection: AsyncConnection, station_id: int) -> None:
    """Forget what the other back end of a station was still to be told."""
    await connection.execute(delete(relay_message).where(relay_message.c.station_id == station_id))


async def list_waiting(connection: asyncpg.Connection, station_id: int) -> list[RelayMessageKept]:
    """Give what the other back end of a station is still to be told, in the order in which it came."""
    rows = await connection.fetch(
        "SELECT id, station_id, message_id, action, frame, received_at FROM relay_message"
        " WHERE station_id = $1 ORDER BY seq",
        station_id,
    )
    return [RelayMessageKept(**dict(row)) for row in rows]


async def list_every_relay(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Give every relay of all tenants, its password sealed."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "SELECT r.station_id, s.identity, r.url, r.sealed_password, r.authority FROM station_relay r"
        " JOIN station s ON s.id = r.station_id"
    )
    return rows


async def list_led_by_other(connection: asyncpg.Connection, station_ids: Sequence[int]) -> frozenset[int]:
    """Give of these stations the ones to which the other back end's word counts."""
    rows = await connection.fetch(
        "SELECT station_id FROM station_relay WHERE authority = 'other' AND station_id = ANY($1::int[])",
        station_ids,
    )
    return frozenset(row["station_id"] for row in rows)


async def list_transactions(connection: asyncpg.Connection, station_id: int) -> list[SharedTransaction]:
    """Give a station's newest transactions with their numbers, the oldest first."""
    rows = await connection.fetch(
        "SELECT at_station, ours, theirs FROM relay_transaction WHERE station_id = $1 ORDER BY at DESC LIMIT $2",
        station_id,
        _KEPT_TRANSACTIONS,
    )
    return [SharedTransaction(**dict(row)) for row in reversed(rows)]


async def keep_transaction(
    connection: asyncpg.Connection, station_id: int, shared: SharedTransaction, now: datetime
) -> None:
    """Keep the numbers of a transaction. Repeats: the newest word on a transaction of ours holds."""
    await connection.execute(
        "INSERT INTO relay_transaction (tenant_id, station_id, at_station, ours, theirs, at)"
        " SELECT tenant_id, id, $2, $3, $4, $5 FROM station WHERE id = $1"
        " ON CONFLICT (station_id, ours) DO UPDATE SET at_station = excluded.at_station, theirs = excluded.theirs",
        station_id,
        shared.at_station,
        shared.ours,
        shared.theirs,
        now,
    )
