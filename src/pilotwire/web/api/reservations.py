"""Reservations: `/reservations`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from pilotwire.core.errors import Invalid, Unavailable
from pilotwire.domain.access.usecases.manage_tokens import shorten_uid
from pilotwire.domain.identity.model import Principal, Right
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.reservations.usecases import manage_reservations as managing
from pilotwire.web.api.fields import Given, Line, Moment, Name, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page
from pilotwire.web.services import WebServices

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["reservations"])

ReservationId = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="The number of a reservation, as its station knows it too.")
]
State = Literal["planned", "placing", "placed", "held", "used", "no_show", "cancelled"]


class NewReservation(Given):
    """For whom, where and when: a token or a group; an EVSE, a type of connector, or anywhere at the station."""

    station_id: Annotated[str, Field(max_length=200, examples=["CP-0001"])]
    from_at: Moment | None = Field(None, description="Now, if left out.")
    until_at: Moment
    evse_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    connector_type: Annotated[str, Field(min_length=1, max_length=20, examples=["cCCS2"])] | None = None
    token_uid: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    group_id: Name | None = None
    grace_s: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        None,
        description="How long after the begin the driver is waited for; the server's setting if left out.",
    )
    note: Line = ""


class Reservation(Shown):
    """A reservation. `detail` says why it stands where it stands."""

    id: int
    station_id: str
    evse_id: int | None
    connector_type: str | None
    token_uid: str | None = Field(description="Shortened for those who may not see tokens.")
    group_id: str | None
    from_at: datetime
    until_at: datetime
    grace_s: int
    state: State
    detail: str
    note: str
    created_by: str
    created_at: datetime
    placed_at: datetime | None
    placed_evse_id: int | None = Field(description="The EVSE that we chose, where none was asked for.")
    task_id: UUID | None = Field(description="The task by which its station was told.")
    session_id: UUID | None
    ended_at: datetime | None


class ReservationStep(Shown):
    """A step of a reservation."""

    at: datetime
    state: State
    detail: str


class ReservationWithHistory(Reservation):
    """A reservation with all its steps."""

    history: list[ReservationStep]


class Cancelling(Given):
    """Why a reservation is given up."""

    reason: Line = ""


def _fields(row: Any, principal: Principal) -> dict[str, Any]:
    same = (
        "id", "connector_type", "group_id", "from_at", "until_at", "grace_s", "state", "detail", "note", "created_by",
        "created_at", "placed_at", "task_id", "session_id", "ended_at",
    )  # fmt: skip
    uid = row.token_uid
    return {
        **{name: getattr(row, name) for name in same},
        "station_id": row.identity,
        "evse_id": row.evse_no,
        "placed_evse_id": row.placed_evse_no,
        "token_uid": uid if uid is None or principal.may(Right.VIEW_TOKENS) else shorten_uid(uid),
    }


@router.post("/reservations", status_code=201)
async def make_reservation(asking: Asking, services: Services, body: NewReservation) -> Reservation:
    """Reserve a place; its station is told shortly before the begin. 409 says in words what stands against it."""
    draft = managing.Draft(
        body.station_id, body.until_at, body.from_at, body.evse_id, body.connector_type, body.token_uid,
        body.group_id, body.grace_s, body.note,
    )  # fmt: skip
    row = await managing.make_reservation(_means(services), asking, draft, services.reservation_policy)
    return Reservation(**_fields(row, asking))


@router.get("/reservations")
async def list_reservations(
    asking: Asking,
    services: Services,
    station_id: Annotated[str, Query(max_length=200)] = "",
    state: Literal["open", "planned", "placing", "placed", "held", "used", "no_show", "cancelled", ""] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Reservation]:
    """List reservations, those made last first; the state `open` is every one that is not over."""
    rows = await managing.list_reservations(
        services.db,
        asking,
        identity=station_id or None,
        state=state or None,
        before=_before(cursor),
        limit=limit + 1,
    )
    return make_page(rows, limit, lambda row: Reservation(**_fields(row, asking)), lambda row: (str(row.id),))


@router.get("/reservations/{reservation_id}")
async def get_reservation(
    asking: Asking, services: Services, reservation_id: ReservationId
) -> ReservationWithHistory:
    """Get a reservation and its history."""
    row, history = await managing.get_reservation(services.db, asking, reservation_id)
    steps = [ReservationStep(at=each.at, state=each.state, detail=each.detail) for each in history]
    return ReservationWithHistory(**_fields(row, asking), history=steps)


@router.post("/reservations/{reservation_id}/cancel")
async def cancel_reservation(
    asking: Asking, services: Services, reservation_id: ReservationId, body: Cancelling | None = None
) -> Reservation:
    """Give a reservation up; a station that keeps it is told."""
    reason = "" if body is None else body.reason
    row = await managing.cancel_reservation(_means(services), asking, reservation_id, reason)
    return Reservation(**_fields(row, asking))


def _before(cursor: str | None) -> int | None:
    text = decode_cursor(cursor, str)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text[:11]) >= 2**31:
        raise Invalid("the cursor is not one of this list: take it from `next` of the page before")
    return int(text)


def _means(services: WebServices) -> Means:
    if services.desk is None:
        raise Unavailable("this process has no stations' edge; ask the one that stations connect to")
    return Means(services.db, services.bus, services.desk, services.clock)
