"""Lists of tokens in stations: `/local-lists`, `/local-list-rules`, `/stations/{id}/local-list`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import Row

from pilotwire.domain.local_lists.model import ListState
from pilotwire.domain.local_lists.usecases import manage_local_lists
from pilotwire.domain.local_lists.usecases.manage_local_lists import RulePlace
from pilotwire.web.api.fields import Given, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["tokens"])

StationId = Annotated[str, Path(max_length=200, description="The station's identity.", examples=["CP-0001"])]
OfSite = Annotated[UUID | None, Query(description="The rule of this site.")]
OfStation = Annotated[str | None, Query(max_length=200, description="The rule of this station.")]


class LocalList(Shown):
    """A station's own list of tokens, and how far it is what it should be."""

    station_id: str
    ocpp_version: str | None
    kept: bool = Field(description="Whether a rule wants it kept in step.")
    state: ListState
    detail: str = Field(description="Why it is not in step.")
    version: int = Field(description="The version that the station holds, as far as is known.")
    entries: int = Field(description="How many tokens it holds; 0 when that is not known.")
    wanted_entries: int
    left_out: int = Field(
        description="How many tokens may charge and have no room, or are too long for its OCPP."
    )
    most_entries: int = Field(description="How many it takes, as it says itself.")
    items_per_message: int
    attempts: int = Field(description="How often in a row it has failed.")
    next_at: datetime | None = Field(description="When it is tried again.")
    checked_at: datetime | None
    sent_at: datetime | None


class NewRule(Given):
    """Whether lists are kept: of a station, at a site, or with neither everywhere."""

    kept: bool
    site_id: UUID | None = None
    station_id: str | None = Field(None, max_length=200)


class Rule(Shown):
    """Whether lists are kept; the rule of a station wins over its site's, that over the one for all."""

    kept: bool
    site_id: UUID | None
    station_id: str | None
    changed_by: str
    changed_at: datetime


class Rules(Page[Rule]):
    """Rules, and what holds where none says anything."""

    kept_by_default: bool


def _shown(row: Row[tuple[object, ...]]) -> LocalList:
    return LocalList.model_validate({**row._mapping, "station_id": row.identity})


@router.get("/local-lists")
async def list_local_lists(
    asking: Asking,
    services: Services,
    state: ListState | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[LocalList]:
    """List stations with their lists of tokens, by identity."""
    rows = await manage_local_lists.list_local_lists(
        services.db,
        asking,
        kept_by_default=services.keeps_local_lists,
        state=state,
        after=decode_cursor(cursor, str),
        limit=limit + 1,
    )
    return make_page(rows, limit, _shown, lambda row: (row.identity,))


@router.get("/stations/{station_id}/local-list")
async def get_local_list(asking: Asking, services: Services, station_id: StationId) -> LocalList:
    """Get where a station's list of tokens stands."""
    row = await manage_local_lists.get_local_list(
        services.db, asking, station_id, kept_by_default=services.keeps_local_lists
    )
    return _shown(row)


@router.post("/stations/{station_id}/local-list/send", status_code=202)
async def send_local_list(asking: Asking, services: Services, station_id: StationId) -> LocalList:
    """Send a station its list whole, at once or as soon as it is back."""
    row = await manage_local_lists.send_local_list(
        services.db, services.bus, asking, station_id, kept_by_default=services.keeps_local_lists
    )
    return _shown(row)


@router.get("/local-list-rules")
async def list_local_list_rules(asking: Asking, services: Services) -> Rules:
    """List the rules that say for which stations lists are kept in step."""
    rows = await manage_local_lists.list_rules(services.db, asking)
    shown = [Rule.model_validate({**row._mapping, "station_id": row.identity}) for row in rows]
    return Rules(items=shown, next=None, kept_by_default=services.keeps_local_lists)


@router.put("/local-list-rules", status_code=204)
async def set_local_list_rule(asking: Asking, services: Services, body: NewRule) -> None:
    """Say whether lists are kept: of a station, at a site, or with neither everywhere."""
    place = RulePlace(body.site_id, body.station_id)
    await manage_local_lists.set_rule(
        services.db, services.bus, services.clock, asking, place, kept=body.kept
    )


@router.delete("/local-list-rules", status_code=204)
async def remove_local_list_rule(
    asking: Asking, services: Services, site_id: OfSite = None, station_id: OfStation = None
) -> None:
    """Remove a rule: of a station, of a site, or with neither the one for all."""
    place = RulePlace(site_id, station_id)
    await manage_local_lists.remove_rule(services.db, services.bus, asking, place)
