"""Reservations: made, cancelled, looked at."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.core.errors import Invalid, NotFound, PilotwireError
from pilotwire.core.texts import say
from pilotwire.db.engine import Database
from pilotwire.domain.access import repository as tokens
from pilotwire.domain.access.model import TokenStatus, fold_uid
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit
from pilotwire.domain.operations.commands import CancelReservation
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_command
from pilotwire.domain.operations.usecases.manage_tasks import cancel_task
from pilotwire.domain.reservations import repository
from pilotwire.domain.reservations.conflicts import Window, find_conflict
from pilotwire.domain.reservations.errors import ReservationConflict, ReservationOver
from pilotwire.domain.reservations.events import ReservationChanged
from pilotwire.domain.reservations.model import OPEN, Policy, ReservationState
from pilotwire.domain.stations.queries import find_station_id

__all__ = ["Draft", "cancel_reservation", "get_reservation", "list_reservations", "make_reservation"]

_LONGEST = timedelta(days=7)
_FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Draft:
    """A wish for a reservation: for a token or a group, at an EVSE, a type of connector, or anywhere at the station."""

    identity: str
    until_at: datetime
    from_at: datetime | None = None
    evse_no: int | None = None
    connector_type: str | None = None
    token_uid: str | None = None
    group_id: str | None = None
    grace_s: int | None = None
    note: str = ""


async def make_reservation(means: Means, principal: Principal, draft: Draft, policy: Policy) -> Row[Any]:
    """Reserve a place and return the reservation; its station is told shortly before it begins.

    Raises: NotFound, Invalid, ReservationConflict with the reason.
    """
    require(principal, Right.CALL_STATIONS)
    now = means.clock()
    from_at = max(draft.from_at or now, now)
    _check_draft(draft, from_at, now)
    async with means.db.tenant(principal.scope) as connection:
        station_id = await find_station_id(connection, draft.identity)
        if station_id is None:
            raise NotFound(say("station_unknown", "there is no station '{station}'", station=draft.identity))
        await _check_token(connection, draft)
        await repository.lock_place(connection, station_id)
        await _check_room(connection, station_id, draft, from_at, now)
        number = await repository.insert_reservation(
            connection,
            {
                "tenant_id": principal.tenant_id,
                "station_id": station_id,
                "evse_no": draft.evse_no,
                "connector_type": draft.connector_type,
                "token_uid": draft.token_uid,
                "group_id": draft.group_id,
                "from_at": from_at,
                "until_at": draft.until_at,
                "grace_s": policy.grace_s if draft.grace_s is None else draft.grace_s,
                "state": ReservationState.PLANNED.value,
                "note": draft.note,
                "created_by": principal.name,
                "next_at": from_at - timedelta(seconds=policy.lead_s),
            },
        )
        after = {"reservation": number, "from_at": from_at, "until_at": draft.until_at}
        await keep_audit(connection, principal, "reservation.made", draft.identity, after=after)
        row = await repository.find_reservation(connection, number)
    assert row is not None  # noqa: S101 - it was made above
    _tell(means, row, now)
    return row


async def cancel_reservation(means: Means, principal: Principal, number: int, reason: str = "") -> Row[Any]:
    """Give a reservation up; a station that keeps it is told, when it is back if it is away.

    Raises: NotFound, ReservationOver.
    """
    require(principal, Right.CALL_STATIONS)
    now = means.clock()
    async with means.db.tenant(principal.scope) as connection:
        former = await repository.find_reservation(connection, number, lock=True)
        if former is None:
            raise NotFound(say("reservation_unknown", "there is no reservation {number}", number=number))
        if former.state not in OPEN:
            raise ReservationOver(
                say("reservation_over", "the reservation is over already: {state}", state=former.state)
            )
        values = {"state": ReservationState.CANCELLED.value, "detail": reason, "ended_at": now}
        await repository.change(connection, number, principal.tenant_id, values)
        await keep_audit(
            connection, principal, "reservation.cancelled", former.identity, after={"reservation": number}
        )
        row = await repository.find_reservation(connection, number)
    assert row is not None  # noqa: S101 - it is held by this very transaction
    if former.task_id is not None:
        with contextlib.suppress(
            PilotwireError
        ):  # what waits is called back; what was sent is cancelled there
            await cancel_task(means.db, means.bus, principal, former.task_id)
    if former.state in (ReservationState.PLACED, ReservationState.PLACING):
        await tell_station(means, principal, row)
    _tell(means, row, now)
    return row


async def tell_station(means: Means, principal: Principal, row: Any) -> None:
    """Have a station give a reservation up, until which it would keep it anyway."""
    left_s = int((row.until_at - means.clock()).total_seconds())
    if left_s > 0:
        plan = Plan(expires_in_s=left_s, note=f"reservation {row.id} is over")
        with contextlib.suppress(PilotwireError):  # it ends there by itself at its time
            await give_command(means, principal, row.identity, CancelReservation(reservation_id=row.id), plan)


async def get_reservation(
    db: Database, principal: Principal, number: int
) -> tuple[Row[Any], Sequence[Row[Any]]]:
    """Get a reservation and its history.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        row = await repository.find_reservation(connection, number)
        if row is None:
            raise NotFound(say("reservation_unknown", "there is no reservation {number}", number=number))
        return row, await repository.list_history(connection, number)


async def list_reservations(
    db: Database,
    principal: Principal,
    *,
    identity: str | None = None,
    state: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """List reservations, those made last first."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await repository.list_reservations(connection, identity, state, before, limit)


def _check_draft(draft: Draft, from_at: datetime, now: datetime) -> None:
    if (draft.token_uid is None) == (draft.group_id is None):
        raise Invalid(
            say("reservation_for_whom", "give exactly one of token_uid and group_id: for whom is it?")
        )
    if draft.evse_no is not None and draft.connector_type is not None:
        raise Invalid(say("reservation_where", "give evse_id or connector_type, not both"))
    if draft.until_at <= from_at:
        raise Invalid(say("reservation_end", "until_at: a moment to come, after from_at"))
    if draft.until_at - from_at > _LONGEST:
        raise Invalid(
            say(
                "reservation_too_long",
                "until_at: a reservation lasts {days} days at most",
                days=_LONGEST.days,
            )
        )
    if from_at - now > _FURTHEST:
        raise Invalid(say("reservation_too_far", "from_at: at most a year ahead"))


async def _check_token(connection: AsyncConnection, draft: Draft) -> None:
    if draft.token_uid is None:
        return
    token = await tokens.find_token(connection, fold_uid(draft.token_uid))
    if token is None:
        raise Invalid(
            say(
                "token_unknown",
                "token_uid: there is no token '{uid}'; add it by POST /tokens first",
                uid=draft.token_uid,
            )
        )
    if token.status != TokenStatus.ACCEPTED:
        raise Invalid(
            say(
                "this_token_not_good",
                "token_uid: the token is {status}; accept it first",
                status=token.status,
            )
        )
    if token.valid_until is not None and token.valid_until < (draft.from_at or draft.until_at):
        raise Invalid(say("token_ends_before", "token_uid: the token is not valid any more at that time"))


async def _check_room(
    connection: AsyncConnection, station_id: int, draft: Draft, from_at: datetime, now: datetime
) -> None:
    wanted = Window(from_at, draft.until_at, draft.evse_no, draft.connector_type)
    others = await repository.list_windows(connection, station_id, from_at, draft.until_at)
    known = await repository.list_places(connection, station_id)
    places = {
        evse_no: types for evse_no, (types, _, in_use) in known.items() if not (in_use and from_at <= now)
    }
    if not known:  # it has never told of its connectors: one EVSE, or those that are named
        named = {each.evse_no for each in (*others, wanted) if each.evse_no is not None}
        kinds = frozenset({draft.connector_type} if draft.connector_type else ())
        places = dict.fromkeys(named or {1}, kinds)
    if draft.evse_no in known and draft.evse_no not in places:
        raise ReservationConflict(say("evse_in_use", "EVSE {evse} is in use now", evse=draft.evse_no))
    conflict = find_conflict(places, others, wanted)
    if conflict is not None:
        raise ReservationConflict(conflict)


def _tell(means: Means, row: Row[Any], now: datetime) -> None:
    means.bus.publish(
        ReservationChanged(
            row.tenant_id, row.id, row.station_id, row.identity, row.placed_evse_no or row.evse_no, row.state,
            row.detail, row.from_at, row.until_at, row.session_id, now,
        )
    )  # fmt: skip
