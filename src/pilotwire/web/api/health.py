"""Health of stations, sites and models: `/stations/{id}/health`, `/health-report`, `/downtime`."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from pilotwire.domain.health.report import Counts, EvseHealth
from pilotwire.domain.health.uptime import Uptime
from pilotwire.domain.health.usecases import exclude_downtime, view_health
from pilotwire.domain.health.usecases.exclude_downtime import Exclusion, ExclusionReason
from pilotwire.domain.health.usecases.view_health import By
from pilotwire.web.api.fields import Given, Line, Moment, Shown, exact, rounded
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["health"])

StationId = Annotated[str, Path(max_length=200, description="The station's identity.", examples=["CP-0001"])]
First = Annotated[date | None, Query(alias="from", description="First day, UTC; left out: thirty days.")]
Last = Annotated[date | None, Query(alias="to", description="Last day, UTC, included; left out: today.")]
_MOST_OUTAGES = 100


class Availability(Shown):
    """Uptime of EVSEs, added up. `nevi_percent` is µ of 23 CFR 680.116(b)(3), `operational_percent` takes nothing out."""

    window_s: int = Field(description="How long was looked at, from the first connection on.")
    outage_s: int
    excluded_s: int = Field(description="How much of the outages does not count.")
    nevi_percent: float | None
    operational_percent: float | None


class Outage(Shown):
    """A time in which an EVSE could not charge anybody."""

    from_: datetime = Field(serialization_alias="from")
    to: datetime
    cause: str = Field(examples=["offline", "faulted", "unavailable"])


class EvseAvailability(Availability):
    """An EVSE with its newest outages."""

    id: int
    outages: list[Outage]


class Figures(Availability):
    """What was done in those days: shares in percent, null where there was nothing to count."""

    plug_ins: int
    plug_ins_charged: int
    plug_in_success_percent: float | None
    sessions: int
    sessions_successful: int
    session_success_percent: float | None
    energy_wh: int | float | None
    connects: int
    messages: int
    repaired: int = Field(description="How many of the messages needed a repair.")


class StationHealth(Figures):
    """A station's health in some days, and how its connection is now."""

    station_id: str
    from_: date = Field(serialization_alias="from")
    to: date
    connected: bool
    last_seen_at: datetime | None
    silent_s: int | None = Field(description="How long ago it was last heard.")
    connects_last_hour: int
    connects_last_day: int
    flapping: bool
    clock_offset_s: float | None = Field(description="By how much its clock is ahead.")
    evses: list[EvseAvailability]


class GroupHealth(Figures):
    """Several stations together. `key` is an identity, the id of a site (empty: none), or vendor and model."""

    key: str
    name: str
    stations: int
    connected: int
    evses: int
    worst_evse_percent: float | None


class NewDowntime(Given):
    """A time whose outages do not count: of a station, one of its EVSEs, or all stations of a site."""

    station_id: Annotated[str, Field(max_length=200)] | None = None
    evse_id: int | None = Field(None, ge=1)
    site_id: UUID | None = None
    from_: Moment = Field(alias="from")
    to: Moment
    reason: ExclusionReason
    note: Line = ""


class Downtime(Shown):
    """A time whose outages do not count."""

    id: UUID
    station_id: str | None
    evse_id: int | None
    site_id: UUID | None
    from_: datetime = Field(serialization_alias="from")
    to: datetime
    reason: ExclusionReason
    note: str
    created_by: str
    created_at: datetime


def _availability(uptime: Uptime) -> dict[str, Any]:
    return {
        "window_s": round(uptime.window_s),
        "outage_s": round(uptime.outage_s),
        "excluded_s": round(uptime.excluded_s),
        "nevi_percent": rounded(uptime.nevi_percent, 3),
        "operational_percent": rounded(uptime.operational_percent, 3),
    }


def _figures(uptime: Uptime, counts: Counts) -> dict[str, Any]:
    kept = (
        "plug_ins",
        "plug_ins_charged",
        "sessions",
        "sessions_successful",
        "connects",
        "messages",
        "repaired",
    )
    return {
        **_availability(uptime),
        **{name: getattr(counts, name) for name in kept},
        "plug_in_success_percent": rounded(counts.plug_in_success_percent, 2),
        "session_success_percent": rounded(counts.session_success_percent, 2),
        "energy_wh": 0 if not counts.energy_wh else exact(counts.energy_wh),
    }


def _evse(evse: EvseHealth) -> EvseAvailability:
    outages = [
        Outage(from_=start, to=end, cause=cause) for (start, end), cause in evse.outages[-_MOST_OUTAGES:]
    ]
    return EvseAvailability(id=evse.number, outages=outages[::-1], **_availability(evse.uptime))


@router.get("/stations/{station_id}/health")
async def get_station_health(
    asking: Asking, services: Services, station_id: StationId, first: First = None, last: Last = None
) -> StationHealth:
    """Get how well a station works: its connection now, uptime and success in the days asked for."""
    now = services.clock()
    days = view_health.days_of(first, last, now)
    found = await view_health.get_health(services.db, asking, station_id, days, now)
    row, link = found.health.row, services.caller.link(found.health.row.id)
    seen_at = max(filter(None, (link.last_seen_at if link else None, row.last_seen_at)), default=None)
    return StationHealth(
        station_id=row.identity,
        from_=days.first,
        to=days.last,
        connected=link is not None or row.connected,
        last_seen_at=seen_at,
        silent_s=None if seen_at is None else max(0, round((now - seen_at).total_seconds())),
        connects_last_hour=found.connects_last_hour,
        connects_last_day=found.connects_last_day,
        flapping=found.flapping,
        clock_offset_s=rounded(found.clock_offset_s, 1),
        evses=[_evse(evse) for evse in found.health.evses],
        **_figures(found.health.uptime, found.health.counts),
    )


@router.get("/health-report")
async def report_health(
    asking: Asking,
    services: Services,
    by: By = "site",
    first: First = None,
    last: Last = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[GroupHealth]:
    """List uptime and success by station, site or model. What was done today is a quarter of an hour behind."""
    days = view_health.days_of(first, last, services.clock())
    groups = await view_health.report_health(
        services.db, asking, by, days, after=decode_cursor(cursor, str), limit=limit + 1
    )
    return make_page(groups, limit, _show_group, lambda group: (group.key,))


def _show_group(group: view_health.GroupHealth) -> GroupHealth:
    kept = ("key", "name", "stations", "connected", "evses")
    return GroupHealth(
        **{name: getattr(group, name) for name in kept},
        worst_evse_percent=None if group.worst is None else rounded(group.worst.nevi_percent, 3),
        **_figures(group.uptime, group.counts),
    )


@router.post("/downtime", status_code=201)
async def create_downtime(asking: Asking, services: Services, body: NewDowntime) -> Downtime:
    """Take a time out of the outages that count, with the reason that the rule asks for."""
    wanted = Exclusion(
        body.reason, body.from_, body.to, body.station_id, body.evse_id, body.site_id, body.note
    )
    return _show_downtime(await exclude_downtime.exclude_downtime(services.db, asking, wanted))


@router.get("/downtime")
async def list_downtime(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[Downtime]:
    """List the times that do not count, the newest entry first."""
    rows = await exclude_downtime.list_downtime(services.db, asking, decode_cursor(cursor, UUID), limit + 1)
    return make_page(rows, limit, _show_downtime, lambda row: (row.id,))


@router.delete("/downtime/{downtime_id}", status_code=204)
async def remove_downtime(asking: Asking, services: Services, downtime_id: UUID) -> None:
    """Let a time count again."""
    await exclude_downtime.remove_downtime(services.db, asking, downtime_id)


def _show_downtime(row: Any) -> Downtime:
    return Downtime(
        id=row.id,
        station_id=row.station_identity,
        evse_id=row.evse_no,
        site_id=row.site_id,
        from_=row.started_at,
        to=row.ended_at,
        reason=row.reason,
        note=row.note,
        created_by=row.created_by,
        created_at=row.created_at,
    )
