"""Looking at a site's energy: now, in the plan, in the past."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pilotwire.core.errors import Invalid
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.errors import EnergyOff
from pilotwire.domain.energy.ports import EnergyView
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.stations.setup_queries import no_site

__all__ = ["get_history", "get_live", "get_plan"]

_MOST_STEPS = 5_000


async def get_live(
    db: Database, view: EnergyView | None, principal: Principal, site_id: UUID
) -> dict[str, Any]:
    """Get a site's flows, nodes and EVSEs as they are now. Raises: NotFound, EnergyOff."""
    require(principal, Right.VIEW_NETWORK)
    _check_limit(principal, site_id)
    found = None if view is None else view.live(principal.tenant_id, site_id)
    return found or await _explain(db, principal, site_id)


async def get_plan(
    db: Database, view: EnergyView | None, principal: Principal, site_id: UUID
) -> dict[str, Any]:
    """Get a site's newest plan. Raises: NotFound, EnergyOff."""
    require(principal, Right.VIEW_NETWORK)
    _check_limit(principal, site_id)
    found = None if view is None else view.plan(principal.tenant_id, site_id)
    return found or await _explain(db, principal, site_id)


async def get_history(
    db: Database, principal: Principal, site_id: UUID, since: datetime, until: datetime, step_s: int
) -> Sequence[Any]:
    """Get the means of a site's flows in steps of `step_s`. Raises: NotFound, Invalid."""
    require(principal, Right.VIEW_NETWORK)
    if until <= since:
        raise Invalid("until lies before since")
    if (until - since).total_seconds() / step_s > _MOST_STEPS:
        raise Invalid(f"more than {_MOST_STEPS} steps: give a longer step_s or a shorter time")
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        return await queries.sum_history(connection, site_id, since, until, step_s)


def _check_limit(principal: Principal, site_id: UUID) -> None:
    """What runs in memory knows no row-level security."""
    if principal.sites is not None and site_id not in principal.sites:
        raise no_site(site_id)


async def _explain(db: Database, principal: Principal, site_id: UUID) -> dict[str, Any]:
    async with db.tenant(principal.scope) as connection:
        row = await queries.get_site_with_tree(connection, site_id)
    if row.tree is None or not row.enabled:
        raise EnergyOff(
            "energy management does not run at this site: give it a tree and switch it on by PUT /sites/ID/energy"
        )
    raise EnergyOff("energy management is starting at this site; try again in some seconds")
