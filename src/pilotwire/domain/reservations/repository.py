"""Reservations in SQL: for what carries them out over all tenants, and for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.domain.reservations.conflicts import Window
from pilotwire.domain.reservations.model import OPEN, Reservation, ReservationState
from pilotwire.domain.reservations.tables import reservation, reservation_event
from pilotwire.domain.stations.tables import station

__all__ = [
    "Candidate",
    "change",
    "find_reservation",
    "insert_reservation",
    "list_candidates",
    "list_history",
    "list_open",
    "list_places",
    "list_reservations",
    "list_windows",
    "lock_place",
    "pick_token",
    "step_on",
]

_OPEN = sorted(state.value for state in OPEN)
_FIELDS = (
    "r.id, r.tenant_id, r.station_id, st.identity, coalesce(st.ocpp_version, '') AS ocpp_version, r.evse_no,"
    " r.connector_type, r.token_uid, r.group_id, r.from_at, r.until_at, r.grace_s, r.state, r.detail, r.attempts,"
    " r.task_id, r.next_at, r.placed_evse_no"
)


class Candidate(msgspec.Struct, frozen=True):
    """A session that may be what a reservation was made for."""

    id: UUID
    evse_no: int | None
    token_uid: str | None
    reservation_id: int | None


async def list_open(connection: asyncpg.Connection, ids: Sequence[int] | None = None) -> list[Reservation]:
    """List the reservations that are not over, or those of some."""
    rows = await connection.fetch(
        f"SELECT {_FIELDS} FROM reservation r JOIN station st ON st.id = r.station_id"  # noqa: S608
        " WHERE r.state IN ('planned', 'placing', 'placed', 'held') AND ($1::int[] IS NULL OR r.id = ANY ($1))",
        ids,
    )
    return [Reservation(**{**dict(row), "state": ReservationState(row["state"])}) for row in rows]


_CHANGEABLE = frozenset(
    {"attempts", "detail", "ended_at", "next_at", "placed_at", "placed_evse_no", "session_id", "task_id"}
)


async def step_on(
    connection: asyncpg.Connection, former: Reservation, state: ReservationState, **values: Any
) -> bool:
    """Bring a reservation a step further, and keep that as its history; False when it has changed since it was read."""
    if unknown := values.keys() - _CHANGEABLE:
        raise TypeError(f"no such columns: {unknown}")
    places = "".join(f", {name} = ${number}" for number, name in enumerate(values, start=5))
    async with connection.transaction():
        row = await connection.fetchrow(
            f"UPDATE reservation SET state = $4{places} WHERE id = $1 AND state = $2"  # noqa: S608
            " AND task_id IS NOT DISTINCT FROM $3 RETURNING detail",
            former.id,
            former.state.value,
            former.task_id,
            state.value,
            *values.values(),
        )
        if row is None:
            return False
        if state is not former.state or row["detail"] != former.detail:
            await connection.execute(
                "INSERT INTO reservation_event (reservation_id, number, tenant_id, state, detail) SELECT $1,"
                " 1 + coalesce(max(number), 0), $2, $3, $4 FROM reservation_event WHERE reservation_id = $1",
                former.id,
                former.tenant_id,
                state.value,
                row["detail"],
            )
    return True


async def list_candidates(
    connection: asyncpg.Connection, reserved: Reservation, since: datetime
) -> list[Candidate]:
    """List the sessions of the station that name the reservation, or began since a moment with a good token."""
    rows = await connection.fetch(
        "SELECT id, evse_no, token_uid, reservation_id FROM session WHERE station_id = $1"
        " AND (reservation_id = $2 OR started_at >= $3) AND coalesce(token_verdict, 'accepted') = 'accepted'"
        " ORDER BY id LIMIT 100",
        reserved.station_id,
        reserved.id,
        since,
    )
    return [Candidate(**row) for row in rows]


async def pick_token(connection: asyncpg.Connection, tenant_id: int, group_id: str) -> str | None:
    """Give a token of a group that may charge, with which a station is told of the group."""
    uid: str | None = await connection.fetchval(
        "SELECT uid FROM token WHERE tenant_id = $1 AND group_id = $2 AND status = 'accepted'"
        " AND (valid_until IS NULL OR valid_until > now()) ORDER BY id LIMIT 1",
        tenant_id,
        group_id,
    )
    return uid


_PLACES = """
SELECT k.evse_no, array_remove(array_agg(DISTINCT k.type), '') AS types, bool_or(k.status = 'available') AS free,
    EXISTS (SELECT FROM session s WHERE s.station_id = k.station_id AND s.evse_no = k.evse_no AND s.ended_at IS NULL)
        AS in_use
FROM connector k WHERE k.station_id = :station_id AND k.evse_no > 0 GROUP BY k.station_id, k.evse_no
"""


async def list_places(
    connection: AsyncConnection, station_id: int
) -> dict[int, tuple[frozenset[str], bool, bool]]:
    """Give a station's EVSEs: the types of their connectors, whether one is free, whether a session runs."""
    rows = await connection.execute(text(_PLACES), {"station_id": station_id})
    return {row.evse_no: (frozenset(row.types), row.free, row.in_use) for row in rows}


async def list_windows(
    connection: AsyncConnection,
    station_id: int,
    from_at: datetime,
    until_at: datetime,
    but: int | None = None,
) -> list[Window]:
    """Give the times of a station's open reservations that meet a time."""
    t = reservation.c
    query = select(t.from_at, t.until_at, t.placed_evse_no, t.evse_no, t.connector_type).where(
        t.station_id == station_id, t.state.in_(_OPEN), t.from_at < until_at, t.until_at > from_at
    )
    if but is not None:
        query = query.where(t.id != but)
    return [
        Window(row.from_at, row.until_at, row.placed_evse_no or row.evse_no, row.connector_type)
        for row in await connection.execute(query)
    ]


async def lock_place(connection: AsyncConnection, station_id: int) -> None:
    """Let nobody else reserve at a station until the end of the transaction."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(7045320, :id)"), {"id": station_id})


_LISTED = (reservation, station.c.identity)


async def insert_reservation(connection: AsyncConnection, values: Mapping[str, Any]) -> int:
    """Add a reservation, and give its number."""
    query = insert(reservation).values(**values).returning(reservation.c.id)
    number: int = (await connection.execute(query)).scalar_one()
    await _remember(connection, number, values["tenant_id"], values["state"], "")
    return number


async def find_reservation(
    connection: AsyncConnection, number: int, *, lock: bool = False
) -> Row[Any] | None:
    """Find a reservation, and hold it until the end of the transaction if asked."""
    query = select(*_LISTED).join(station, station.c.id == reservation.c.station_id)
    query = query.where(reservation.c.id == number)
    if lock:
        query = query.with_for_update(of=reservation)
    return (await connection.execute(query)).one_or_none()


async def change(connection: AsyncConnection, number: int, tenant_id: int, values: Mapping[str, Any]) -> None:
    """Change a reservation that is known to exist; its new state and detail become part of its history."""
    await connection.execute(update(reservation).where(reservation.c.id == number).values(**values))
    await _remember(connection, number, tenant_id, values["state"], values["detail"])


async def _remember(
    connection: AsyncConnection, number: int, tenant_id: int, state: str, detail: str
) -> None:
    event = reservation_event
    newest = select(func.coalesce(func.max(event.c.number), 0) + 1).where(event.c.reservation_id == number)
    await connection.execute(
        insert(event).values(
            reservation_id=number,
            number=newest.scalar_subquery(),
            tenant_id=tenant_id,
            at=func.now(),
            state=state,
            detail=detail,
        )
    )


async def list_reservations(
    connection: AsyncConnection, identity: str | None, state: str | None, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """List reservations, those made last first; the state `open` is every one that is not over."""
    query = select(*_LISTED).join(station, station.c.id == reservation.c.station_id)
    if identity is not None:
        query = query.where(station.c.identity == identity)
    if state == "open":
        query = query.where(reservation.c.state.in_(_OPEN))
    elif state is not None:
        query = query.where(reservation.c.state == state)
    if before is not None:
        query = query.where(reservation.c.id < before)
    return (await connection.execute(query.order_by(reservation.c.id.desc()).limit(limit))).all()


async def list_history(connection: AsyncConnection, number: int) -> Sequence[Row[Any]]:
    """List the steps of a reservation in their order."""
    query = select(reservation_event).where(reservation_event.c.reservation_id == number)
    return (await connection.execute(query.order_by(reservation_event.c.number))).all()
