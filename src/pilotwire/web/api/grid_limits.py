"""Limits from outside: `/sites/{id}/energy/grid-limits`."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from pilotwire.domain.energy.usecases import manage_grid_limits
from pilotwire.web.api.fields import Given, Line, Moment, Shown
from pilotwire.web.auth import Asking, Services

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/sites/{site_id}/energy/grid-limits", tags=["energy"])

SiteId = Annotated[UUID, Path(description="The id of a site.")]
Source = Annotated[
    str,
    Path(pattern=r"^[A-Za-z0-9._:-]{1,100}$", description="Who limits.", examples=["grid-operator"]),
]


class NewLimit(Given):
    """What a source says of a site; it replaces what it said before."""

    limit_w: float | None = Field(
        None, ge=0, le=1e10, allow_inf_nan=False, description="Left out: it limits nothing, but is heard."
    )
    node_id: str | None = Field(
        None, max_length=100, description="The node that is limited; left out: the grid connection."
    )
    starts_at: Moment | None = Field(None, description="Left out: now.")
    ends_at: Moment | None = Field(None, description="Left out: until it is withdrawn.")
    silent_after_s: float | None = Field(
        None, ge=1, le=86_400, description="It is heard again within so many seconds, or counts as silent."
    )
    failsafe_w: float | None = Field(
        None, ge=0, le=1e10, allow_inf_nan=False, description="The limit once the source is silent."
    )
    failsafe_for_s: float | None = Field(
        None, ge=1, le=31_536_000, description="How long that holds; left out: until it is heard again."
    )
    reason: Line = ""


class GridLimit(Shown):
    """What a source has said, and what that means now: `holds_w` None limits nothing."""

    source: str
    node_id: str
    limit_w: float | None
    starts_at: datetime
    ends_at: datetime | None
    silent_after_s: float | None
    failsafe_w: float | None
    failsafe_for_s: float | None
    reason: str
    heard_at: datetime
    changed_by: str
    state: Literal["limited", "ahead", "free", "failsafe"]
    holds_w: float | None


@router.get("")
async def list_grid_limits(asking: Asking, services: Services, site_id: SiteId) -> list[GridLimit]:
    """List what grid operators and others have said of a site, and what holds of it now."""
    found = await manage_grid_limits.list_limits(services.db, services.clock, asking, site_id)
    return [_show(each) for each in found]


@router.put("/{source}")
async def set_grid_limit(
    asking: Asking, services: Services, site_id: SiteId, source: Source, body: NewLimit
) -> GridLimit:
    """Limit a site for a time or until withdrawn, with a fail-safe value for when the source falls silent.

    It only ever tightens what the tree allows.
    """
    wanted = manage_grid_limits.NewGridLimit(**body.model_dump())
    return _show(
        await manage_grid_limits.set_limit(
            services.db, services.bus, services.clock, asking, site_id, source, wanted
        )
    )


@router.post("/{source}/heartbeat")
async def hear_grid_limit(asking: Asking, services: Services, site_id: SiteId, source: Source) -> GridLimit:
    """Say that a source is there; what it said last goes on."""
    return _show(
        await manage_grid_limits.hear(services.db, services.bus, services.clock, asking, site_id, source)
    )


@router.delete("/{source}", status_code=204)
async def withdraw_grid_limit(asking: Asking, services: Services, site_id: SiteId, source: Source) -> None:
    """Take a limit back, and its fail-safe value with it."""
    await manage_grid_limits.withdraw_limit(services.db, services.bus, asking, site_id, source)


def _show(found: manage_grid_limits.GridLimitShown) -> GridLimit:
    values = {name: getattr(found.limit, name) for name in found.limit.__struct_fields__}
    return GridLimit(**values, changed_by=found.changed_by, state=found.state, holds_w=found.holds_w)
