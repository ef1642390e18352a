"""Sites: `/sites`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from pilotwire.domain.stations.usecases import manage_sites
from pilotwire.web.api.fields import Given, Line, Name, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["sites"])

Country = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2})?$")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Zone = Annotated[str, Field(max_length=60, description="IANA time zone.", examples=["Europe/Berlin"])]


class NewSite(Given):
    """A site to be added."""

    name: Name = Field(examples=["Harbour car park"])
    address: Line = ""
    city: Line = ""
    country: Country = Field("", description="ISO 3166-1, two letters.", examples=["DE"])
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: Zone = "UTC"


class SiteChanges(Given):
    """What is to change; fields that are left out stay."""

    name: Name = ""
    address: Line = ""
    city: Line = ""
    country: Country = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: Zone = "UTC"


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
    created_at: datetime


@router.post("/sites", status_code=201)
async def create_site(asking: Asking, services: Services, body: NewSite) -> Site:
    """Add a site."""
    return Site.model_validate(await manage_sites.create_site(services.db, asking, body.model_dump()))


@router.get("/sites")
async def list_sites(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[Site]:
    """List sites by name."""
    rows = await manage_sites.list_sites(services.db, asking, decode_cursor(cursor, str, UUID), limit + 1)
    return make_page(rows, limit, Site.model_validate, lambda row: (row.name, row.id))


@router.get("/sites/{site_id}")
async def get_site(asking: Asking, services: Services, site_id: UUID) -> Site:
    """Get a site."""
    return Site.model_validate(await manage_sites.get_site(services.db, asking, site_id))


@router.patch("/sites/{site_id}")
async def change_site(asking: Asking, services: Services, site_id: UUID, body: SiteChanges) -> Site:
    """Change a site."""
    changes = body.model_dump(exclude_unset=True)
    return Site.model_validate(await manage_sites.change_site(services.db, asking, site_id, changes))


@router.delete("/sites/{site_id}", status_code=204)
async def remove_site(asking: Asking, services: Services, site_id: UUID) -> None:
    """Remove a site to which no station and no enrolment key belongs."""
    await manage_sites.remove_site(services.db, asking, site_id)
