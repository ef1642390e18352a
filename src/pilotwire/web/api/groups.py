"""Groups of stations: `/groups`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from pilotwire.domain.stations.usecases import manage_groups
from pilotwire.web.api.fields import Given, Line, Name, Shown
from pilotwire.web.auth import Asking, Services
from pilotwire.web.paging import Cursor, Limit, Page, decode_cursor, make_page

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["sites"])

StationIds = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=100_000)]


class NewGroup(Given):
    """A group to be added."""

    name: Name = Field(examples=["Pilot customers"])
    note: Line = ""


class GroupChanges(Given):
    """What is to change; fields that are left out stay."""

    name: Name = ""
    note: Line = ""


class Group(Shown):
    """A named set of stations. Which ones they are: `GET /stations?group_id=`."""

    id: UUID
    name: str
    note: str
    stations: int = Field(description="How many.")
    created_at: datetime


class MemberChanges(Given):
    """Identities of stations to put in and to take out."""

    add: StationIds = Field([])
    remove: StationIds = Field([])


@router.post("/groups", status_code=201)
async def create_group(asking: Asking, services: Services, body: NewGroup) -> Group:
    """Add a group without stations."""
    return Group.model_validate(await manage_groups.create_group(services.db, asking, body.name, body.note))


@router.get("/groups")
async def list_groups(
    asking: Asking, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Page[Group]:
    """List groups by name."""
    rows = await manage_groups.list_groups(services.db, asking, decode_cursor(cursor, str, UUID), limit + 1)
    return make_page(rows, limit, Group.model_validate, lambda row: (row.name, row.id))


@router.get("/groups/{group_id}")
async def get_group(asking: Asking, services: Services, group_id: UUID) -> Group:
    """Get a group."""
    return Group.model_validate(await manage_groups.get_group(services.db, asking, group_id))


@router.patch("/groups/{group_id}")
async def change_group(asking: Asking, services: Services, group_id: UUID, body: GroupChanges) -> Group:
    """Rename a group, or change its note."""
    changes = body.model_dump(exclude_unset=True)
    return Group.model_validate(await manage_groups.change_group(services.db, asking, group_id, changes))


@router.post("/groups/{group_id}/stations")
async def change_group_members(
    asking: Asking, services: Services, group_id: UUID, body: MemberChanges
) -> Group:
    """Put stations into a group and take others out, all or none."""
    row = await manage_groups.change_members(services.db, asking, group_id, body.add, body.remove)
    return Group.model_validate(row)


@router.delete("/groups/{group_id}", status_code=204)
async def remove_group(asking: Asking, services: Services, group_id: UUID) -> None:
    """Remove a group; its stations stay."""
    await manage_groups.remove_group(services.db, asking, group_id)
