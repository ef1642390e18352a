"""Demand response: `/sites/{id}/energy/vtns`, `/sites/{id}/energy/events`."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from pilotwire.domain.energy.usecases import manage_demand_response
from pilotwire.web.api.fields import Given, Line, Name, Shown
from pilotwire.web.auth import Asking, Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/sites/{site_id}/energy", tags=["energy"])

SiteId = Annotated[UUID, Path(description="The id of a site.")]
VtnId = Annotated[UUID, Path(description="The id of a VTN.")]
EventId = Annotated[str, Path(max_length=200, description="The VTN's id of an event.")]
_Url = Annotated[str, Field(max_length=2000, examples=["https://vtn.example.com/openadr3/3.1.0"])]


class NewVtn(Given):
    """An OpenADR server to follow."""

    url: _Url
    token_url: Annotated[str, Field(max_length=2000)] = Field(
        "", description="Where tokens are given; left out: url/auth/token."
    )
    version: Literal["2.0b", "3.0", "3.1"] = "3.1"
    client_id: Line = Field(
        "", description="Who we are to the token server; with 2.0b our VEN id, if we have one."
    )
    client_secret: str = Field(
        "",
        max_length=50_000,
        description="The secret; with 2.0b private key and certificates in PEM, if the server wants some.",
    )
    scope: Line = ""
    ven_name: Name = Field(description="What we are called there.")
    program: Line = Field("", description="Name or id of a program; left out: all that the VTN shows us.")
    node_id: str | None = Field(
        None, max_length=100, description="What is limited; left out: the grid connection."
    )
    levels_w: list[Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]] = Field(
        default_factory=list, max_length=3, description="Limits of levels 1, 2 and 3 of SIMPLE events."
    )
    poll_s: int = Field(60, ge=1, le=86_400)
    opted_in: bool = Field(True, description="Whether the site takes part where nobody says otherwise.")


class Vtn(Shown):
    """An OpenADR server that a site follows. `error`: what was wrong when it was asked last."""

    id: UUID
    url: str
    token_url: str
    version: str
    client_id: str
    scope: str
    ven_name: str
    program: str
    node_id: str
    levels_w: list[float]
    poll_s: int
    opted_in: bool
    created_by: str
    created_at: datetime
    polled_at: datetime | None
    error: str


class DemandEvent(Shown):
    """An event of a VTN. `used_wh` is what the site bought meanwhile, `baseline_wh` what it buys on other such days."""

    vtn_id: UUID
    event_id: str
    name: str
    program_id: str
    starts_at: datetime
    ends_at: datetime | None
    takes_part: bool
    withdrawn_at: datetime | None
    received_at: datetime
    used_wh: float | None
    baseline_wh: float | None
    reported_at: datetime | None
    content: dict[str, Any] = Field(description="As the VTN gave it.")


class NewOpt(Given):
    """Whether a site takes part."""

    takes_part: bool


@router.get("/vtns")
async def list_energy_vtns(asking: Asking, services: Services, site_id: SiteId) -> list[Vtn]:
    """List the OpenADR servers that a site follows."""
    found = await manage_demand_response.list_vtns(services.db, asking, site_id)
    return [Vtn.model_validate(row) for row in found]


@router.post("/vtns", status_code=201)
async def add_energy_vtn(asking: Asking, services: Services, site_id: SiteId, body: NewVtn) -> Vtn:
    """Follow an OpenADR server: its events limit the site, or change its prices. The secret is never shown again."""
    fields = {**body.model_dump(), "levels_w": tuple(body.levels_w)}
    wanted = manage_demand_response.NewVtn(**fields)
    row = await manage_demand_response.add_vtn(services.db, services.seal, asking, site_id, wanted)
    return Vtn.model_validate(row)


@router.delete("/vtns/{vtn_id}", status_code=204)
async def remove_energy_vtn(asking: Asking, services: Services, site_id: SiteId, vtn_id: VtnId) -> None:
    """Follow a server no more; limits of its events end."""
    await manage_demand_response.remove_vtn(services.db, services.bus, asking, site_id, vtn_id)


@router.get("/events")
async def list_energy_events(
    asking: Asking, services: Services, site_id: SiteId, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[DemandEvent]:
    """List events of demand response, the newest first, with their measured results."""
    found = await manage_demand_response.list_events(services.db, asking, site_id, limit)
    return [DemandEvent.model_validate(row) for row in found]


@router.put("/vtns/{vtn_id}/events/{event_id}/opt")
async def opt_energy_event(
    asking: Asking, services: Services, site_id: SiteId, vtn_id: VtnId, event_id: EventId, body: NewOpt
) -> DemandEvent:
    """Take part in an event, or do not."""
    return DemandEvent.model_validate(
        await manage_demand_response.opt(
            services.db, asking, site_id, vtn_id, event_id, opted_in=body.takes_part
        )
    )
