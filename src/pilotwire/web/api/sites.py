"""Sites: `/sites`."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from pilotwire.domain.stations.opening import is_open, read_hours
from pilotwire.domain.stations.setup_queries import SiteFilter
from pilotwire.domain.stations.site import checked_zone
from pilotwire.domain.stations.usecases import manage_sites
from pilotwire.web.api.fields import Given, Line, Name, Shown, Tags
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page
from pilotwire.web.services import WebServices

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["sites"])

Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Zone = Annotated[str, Field(max_length=60, description="IANA time zone.", examples=["Europe/Berlin"])]
Notes = Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Clock = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Amperes = Annotated[float | None, Field(gt=0, le=10_000, allow_inf_nan=False)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Span(Given):
    """From `opens` to `closes` on one day; 24:00 is the end of the day."""

    opens: Clock = Field(examples=["08:00"])
    closes: Clock = Field(examples=["20:00"])


class ExceptionalDay(Given):
    """The hours of one date in place of its weekday's; none: closed."""

    date: date
    hours: list[Span] = Field([], max_length=10)
    note: Line = ""


class OpeningHours(Given):
    """In the site's time zone. A weekday that is not named is closed, unless it is always open."""

    always_open: bool = False
    weekdays: dict[Weekday, Annotated[list[Span], Field(max_length=10)]] = Field({})
    exceptions: list[ExceptionalDay] = Field([], max_length=500)


class Contact(Given):
    """Somebody to call; `role` says when."""

    role: Annotated[Name, Field(max_length=60)] = Field(examples=["emergency"])
    name: Line = ""
    phone: Annotated[Line, Field(max_length=60)] = ""
    email: Line = ""
    note: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] = ""


class GridConnection(Given):
    """What the grid operator lets the site draw: per phase in A, in all in kW; V between phase and neutral."""

    limit_l1_a: Amperes = None
    limit_l2_a: Amperes = None
    limit_l3_a: Amperes = None
    limit_kw: float | None = Field(None, gt=0, le=1_000_000, allow_inf_nan=False)
    voltage_v: float | None = Field(None, ge=50, le=50_000, allow_inf_nan=False)
    metering_point: Annotated[Line, Field(max_length=60)] = ""


class SiteChanges(Given):
    """What is to change; fields that are left out stay."""

    name: Name = ""
    address: Line = ""
    city: Line = ""
    country: Country = Field("", description="ISO 3166-1, two letters.", examples=["DE"])
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: Zone = "UTC"
    access_notes: Notes = Field("", description="How to get in, for people who have to.")
    opening_hours: OpeningHours | None = Field(None, description="null: not known.")
    contacts: list[Contact] = Field([], max_length=20)
    grid_connection: GridConnection | None = None
    tags: Tags = Field([])


class NewSite(SiteChanges):
    """A site to be added."""

    name: Name = Field(examples=["Harbour car park"])


class Site(Shown):
    """A place where stations stand."""

    id: UUID
    name: str
    address: str
    city: str
    country: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    access_notes: str
    opening_hours: OpeningHours | None
    open_now: bool | None = Field(description="null while the opening hours are not known.")
    contacts: list[Contact]
    grid_connection: GridConnection | None
    tags: list[str]
    created_at: datetime


def _show(services: WebServices, row: Any) -> Site:
    hours = None if row.opening_hours is None else read_hours(row.opening_hours)
    now = None if hours is None else is_open(hours, checked_zone(row.time_zone), services.clock())
    return Site.model_validate({**row._mapping, "open_now": now})


@router.post("/sites", status_code=201)
async def create_site(asking: Asking, services: Services, body: NewSite) -> Site:
    """Add a site."""
    values = body.model_dump(mode="json", exclude_unset=True)
    return _show(services, await manage_sites.create_site(services.db, asking, values))


def _wanted(
    tag: Annotated[str, Query(max_length=40)] = "",
    country: Country = "",
    q: Annotated[str, Query(max_length=100, description="A part of name, address or city.")] = "",
) -> SiteFilter:
    return SiteFilter(tag.strip() or None, country or None, q.strip() or None)


@router.get("/sites")
async def list_sites(
    asking: Asking,
    services: Services,
    wanted: Annotated[SiteFilter, Depends(_wanted)],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Site]:
    """List sites by name."""
    rows = await manage_sites.list_sites(
        services.db, asking, wanted, decode_cursor(cursor, str, UUID), limit + 1
    )
    return make_page(rows, limit, lambda row: _show(services, row), lambda row: (row.name, row.id))


@router.get("/sites/{site_id}")
async def get_site(asking: Asking, services: Services, site_id: UUID) -> Site:
    """Get a site."""
    return _show(services, await manage_sites.get_site(services.db, asking, site_id))


@router.patch("/sites/{site_id}")
async def change_site(asking: Asking, services: Services, site_id: UUID, body: SiteChanges) -> Site:
    """Change a site; opening hours, contacts and grid connection are replaced whole."""
    changes = body.model_dump(mode="json", exclude_unset=True)
    return _show(services, await manage_sites.change_site(services.db, asking, site_id, changes))


@router.delete("/sites/{site_id}", status_code=204)
async def remove_site(asking: Asking, services: Services, site_id: UUID) -> None:
    """Remove a site to which no station and no enrolment key belongs."""
    await manage_sites.remove_site(services.db, asking, site_id)
