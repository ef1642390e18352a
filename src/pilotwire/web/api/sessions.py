"""Charging sessions: `/sessions`, and the sums of the network."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from pilotwire.core.errors import Invalid
from pilotwire.domain.access.usecases.manage_tokens import shorten_uid
from pilotwire.domain.identity.model import Principal, Right
from pilotwire.domain.sessions.usecases import view_sessions
from pilotwire.domain.stations.usecases import view_stations
from pilotwire.web.api.fields import Shown, exact, rounded
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, encode_cursor, make_page

__all__ = ["router", "show_transaction_id"]

router = APIRouter(prefix="/api/v1", tags=["sessions"])

Wh = Annotated[int | float | None, Field(description="Wh: an integer when whole, else up to three places.")]


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


class Overview(Shown):
    """The network in figures."""

    stations: int
    connected: int
    connectors: int
    charging: int = Field(description="Connectors of connected stations that charge.")
    active_sessions: int
    power_w: float
    energy_today_wh: int | float = Field(description="Energy of the sessions that began since midnight.")
    stations_url: str = Field(description="Where stations connect, without their identity.")


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


def show_session(row: Any, principal: Principal) -> Session:
    """Give a session the API's shape."""
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
    return make_page(rows, limit, lambda row: show_session(row, asking), lambda row: (row.id,))


@router.get("/sessions/{session_id}")
async def get_session(asking: Asking, services: Services, session_id: UUID) -> Session:
    """Get a session."""
    return show_session(await view_sessions.get_session(services.db, asking, session_id), asking)


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


@router.get("/overview", tags=["overview"])
async def get_overview(
    asking: Asking,
    services: Services,
    time_zone: Annotated[str, Query(max_length=60, description="Where 'today' is; IANA name.")] = "UTC",
) -> Overview:
    """Get the network's sums: what a wall display shows."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"'{time_zone}' is no time zone of the IANA database") from error
    midnight = services.clock().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = await view_stations.count_network(services.db, asking)
    sums = await view_sessions.sum_sessions(services.db, asking, midnight.astimezone(UTC))
    return Overview(
        stations=counts.stations,
        connected=counts.connected,
        connectors=counts.connectors,
        charging=counts.charging,
        active_sessions=sums.active,
        power_w=round(sums.power_w, 1),
        energy_today_wh=exact(sums.energy_wh) or 0,
        stations_url=services.stations_url,
    )
