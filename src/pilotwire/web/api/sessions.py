"""Charging sessions: `/sessions`, and the sums of the network."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from pilotwire.core.errors import Unavailable
from pilotwire.domain.access.usecases.manage_tokens import shorten_uid
from pilotwire.domain.energy.usecases.view_origins import list_session_origins
from pilotwire.domain.identity.model import Principal, Right
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.sessions.usecases import end_session as ending
from pilotwire.domain.sessions.usecases import view_sessions
from pilotwire.domain.supervision.usecases import manage_targets as targets
from pilotwire.web.api.fields import Given, Moment, Name, Shown, exact, rounded
from pilotwire.web.api.origins import Origin, show_origin
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, encode_cursor, make_page
from pilotwire.web.services import WebServices

__all__ = ["router", "show_transaction_id"]

router = APIRouter(prefix="/api/v1", tags=["sessions"])

Wh = Annotated[int | float | None, Field(description="Wh: an integer when whole, else up to three places.")]


class Settlement(Shown):
    """The end that we gave a session because its own did not come."""

    at: datetime
    reason: str
    by: str


class TargetGiven(Given):
    """Where the session is to be stopped: at the first of these; one at least."""

    energy_wh: Annotated[int, Field(ge=1, le=10**9)] | None = None
    duration_s: (
        Annotated[int, Field(ge=1, le=31 * 86_400, description="From the session's start.")] | None
    ) = None
    soc_percent: Annotated[float, Field(gt=0, le=100, description="Where the station reports it.")] | None = (
        None
    )
    until: Moment | None = None


class TargetShown(Shown):
    """The target of a session, and where it stands.

    `missed`: the session could not be stopped, `detail` says why. `over`: the session ended before.
    """

    energy_wh: int | None
    duration_s: int | None
    soc_percent: float | None
    until: datetime | None
    state: Literal["waiting", "stopping", "reached", "missed", "over"]
    by: str
    reached: Literal["energy_wh", "duration_s", "soc_percent", "until"] | None
    reached_at: datetime | None
    detail: str
    task_id: UUID | None = Field(description="The task of the stop that was given.")


class Session(Shown):
    """A charging session.

    `meter_wh` is the newest register value; `meter_end_wh` is null until the end has been reported.
    `review` says why a person should look at it; a `disputed` session must not be billed by itself.
    """

    id: UUID
    station_id: str = Field(examples=["CP-0001"])
    evse_id: int | None
    connector_id: int | None
    transaction_id: int | str = Field(
        description="The station's own reference: an integer in OCPP 1.6, else a string."
    )
    token_uid: str | None = Field(description="Shortened for those who may not see tokens.")
    token_verdict: str | None
    state: Literal["active", "ended", "disputed"]
    charging_state: str | None
    started_at: datetime
    ended_at: datetime | None
    meter_start_wh: Wh
    meter_end_wh: Wh
    meter_wh: Wh
    energy_wh: Wh
    power_w: float | None
    soc_percent: float | None
    last_sample_at: datetime | None
    stop_reason: str | None
    offline: bool
    remote_start_id: int | None
    reservation_id: int | None
    review: list[str]
    settlement: Settlement | None = Field(
        description="How we ended it, while its station has not reported the end; else null."
    )
    target: TargetShown | None = None
    full_since: datetime | None = Field(
        None, description="Since when the car takes no more, though it could."
    )
    origin: Origin | None = Field(
        None, description="Where its energy came from, in quarters of an hour; null where that is not known."
    )


class SessionEnd(Given):
    """Why a session is ended by hand, and the register's last value if it is known."""

    reason: Name
    meter_end_wh: Annotated[Decimal, Field(ge=0, le=Decimal(10) ** 12)] | None = None


class SessionEvent(Shown):
    """What happened to a session; the session's figures follow from its events."""

    kind: str = Field(
        description="The station's: `started`, `updated`, `ended`. Ours: `settled`, `target`, `target_reached`,"
        " `target_missed`, `full`, `stop_missing`, `over_long`.",
        examples=["started"],
    )
    number: int = Field(description="The station's sequence number; ours are counted by kind.")
    at: datetime
    received_at: datetime
    trigger: str | None
    charging_state: str | None
    offline: bool
    detail: dict[str, Any]


class Sample(Shown):
    """What the meter read at one moment; lists are per phase, L1 to L3."""

    at: datetime
    received_at: datetime
    context: str | None
    energy_wh: Wh
    power_w: float | None
    soc_percent: float | None
    currents_a: list[float | None]
    voltages_v: list[float | None]
    other: Any


def show_transaction_id(transaction_ref: str, start_key: str | None) -> int | str:
    """Give the reference as the station knows it: OCPP 1.6 counts, 2.x names.

    Only sessions of 1.6 are known by the content of their start.
    """
    if (
        start_key is not None
        and transaction_ref.isascii()
        and transaction_ref.isdigit()
        and len(transaction_ref) < 16
    ):
        return int(transaction_ref)
    return transaction_ref


def show_session(row: Any, principal: Principal, watch: Any = None, origin: Any = None) -> Session:
    """Give a session the API's shape, with what is watched of it."""
    same = (
        "id", "token_verdict", "state", "charging_state", "started_at", "ended_at", "last_sample_at",
        "stop_reason", "offline", "remote_start_id", "reservation_id", "review",
    )  # fmt: skip
    uid = row.token_uid
    return Session(
        **{name: getattr(row, name) for name in same},
        station_id=row.identity,
        evse_id=row.evse_no,
        connector_id=row.connector_no,
        transaction_id=show_transaction_id(row.transaction_ref, row.start_key),
        token_uid=uid if uid is None or principal.may(Right.VIEW_TOKENS) else shorten_uid(uid),
        meter_start_wh=exact(row.meter_start_wh),
        meter_end_wh=exact(row.meter_end_wh) if row.ended_at is not None else None,
        meter_wh=exact(row.meter_end_wh),
        energy_wh=exact(row.energy_wh),
        power_w=rounded(row.power_w, 1),
        soc_percent=rounded(row.soc_percent, 1),
        settlement=None
        if row.settled_at is None
        else Settlement(at=row.settled_at, reason=row.settled_reason, by=row.settled_by),
        target=_show_target(watch),
        full_since=None if watch is None else watch.full_since,
        origin=None if origin is None else show_origin(origin),
    )


def _show_target(watch: Any) -> TargetShown | None:
    if watch is None or watch.target is None:
        return None
    return TargetShown(
        **{name: watch.target.get(name) for name in ("energy_wh", "duration_s", "soc_percent", "until")},
        state=watch.target_state,
        by=watch.target_by,
        reached=watch.target_reached,
        reached_at=watch.target_reached_at,
        detail=watch.target_detail,
        task_id=watch.task_id,
    )


def _show_event(row: Any) -> SessionEvent:
    return SessionEvent(
        kind=row.kind,
        number=row.seq_no,
        at=row.at,
        received_at=row.received_at,
        trigger=row.trigger,
        charging_state=row.charging_state,
        offline=row.offline,
        detail=row.detail or {},
    )


def _show_sample(row: Any) -> Sample:
    return Sample(
        at=row.at,
        received_at=row.received_at,
        context=row.context,
        energy_wh=exact(row.energy_wh),
        power_w=rounded(row.power_w, 1),
        soc_percent=rounded(row.soc_percent, 1),
        currents_a=[rounded(value, 2) for value in (row.current_l1_a, row.current_l2_a, row.current_l3_a)],
        voltages_v=[rounded(value, 1) for value in (row.voltage_l1_v, row.voltage_l2_v, row.voltage_l3_v)],
        other=_other(row.other),
    )


def _other(text: str | None) -> Any:
    if not text:
        return []
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError:
        return text


@router.get("/sessions")
async def list_sessions(
    asking: Asking,
    services: Services,
    station_id: Annotated[str, Query(max_length=200)] = "",
    state: Literal["active", "ended", "disputed", ""] = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Session]:
    """List sessions, the newest first."""
    rows = await view_sessions.list_sessions(
        services.db,
        asking,
        station_identity=station_id or None,
        state=state or None,
        before=decode_cursor(cursor, UUID),
        limit=limit + 1,
    )
    ids = [row.id for row in rows]
    watches = await targets.list_watches(services.db, asking, ids)
    origins = await list_session_origins(services.db, asking, ids)
    return make_page(
        rows,
        limit,
        lambda row: show_session(row, asking, watches.get(row.id), origins.get(row.id)),
        lambda row: (row.id,),
    )


@router.get("/sessions/{session_id}")
async def get_session(asking: Asking, services: Services, session_id: UUID) -> Session:
    """Get a session."""
    return await _session(services, asking, session_id)


@router.get("/sessions/{session_id}/samples")
async def list_samples(
    asking: Asking, services: Services, session_id: UUID, limit: Limit = 1000, cursor: Cursor = None
) -> Page[Sample]:
    """List the meter samples of a session in the order of their moments."""
    rows, following = await view_sessions.list_samples(
        services.db, asking, session_id, decode_cursor(cursor, datetime), limit
    )
    return Page(
        items=[_show_sample(row) for row in rows],
        next=None if following is None else encode_cursor(following),
    )


@router.get("/sessions/{session_id}/events")
async def list_session_events(asking: Asking, services: Services, session_id: UUID) -> Page[SessionEvent]:
    """List the events of a session in the order of their receipt, the thousand newest."""
    rows = await view_sessions.list_events(services.db, asking, session_id)
    return Page(items=[_show_event(row) for row in rows], next=None)


@router.post("/sessions/{session_id}/end")
async def end_session(asking: Asking, services: Services, session_id: UUID, body: SessionEnd) -> Session:
    """End a session by hand that its station never will; nothing is sent to the station.

    To stop one that goes on, use the command `stop_charging`. A stop that the station delivers later still counts,
    and corrects the end and the register.
    """
    if services.session_desk is None:
        raise Unavailable("this process has no stations' edge; ask the one that stations connect to")
    await ending.end_session(
        services.db, services.session_desk, asking, session_id, body.reason, body.meter_end_wh
    )
    return await _session(services, asking, session_id)


@router.put("/sessions/{session_id}/target")
async def set_session_target(
    asking: Asking, services: Services, session_id: UUID, body: TargetGiven
) -> Session:
    """Give a running session a target, or another one; it is stopped at the first part that it reaches."""
    target = targets.read_target(body.model_dump(exclude_none=True))
    await targets.set_target(_means(services), asking, session_id, target)
    return await _session(services, asking, session_id)


@router.delete("/sessions/{session_id}/target", status_code=204)
async def clear_session_target(asking: Asking, services: Services, session_id: UUID) -> None:
    """Take a running session's target away; a second time does nothing."""
    await targets.clear_target(_means(services), asking, session_id)


async def _session(services: WebServices, asking: Principal, session_id: UUID) -> Session:
    row = await view_sessions.get_session(services.db, asking, session_id)
    watches = await targets.list_watches(services.db, asking, [session_id])
    origins = await list_session_origins(services.db, asking, [session_id])
    return show_session(row, asking, watches.get(session_id), origins.get(session_id))


def _means(services: WebServices) -> Means:
    if services.desk is None:
        raise Unavailable("this process has no stations' edge; ask the one that stations connect to")
    return Means(services.db, services.bus, services.desk, services.clock)
