"""Limits of a site from outside, such as a grid operator's dimming: taken, heard again, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.definition import EnergyTree, read_tree
from pilotwire.domain.energy.errors import EnergyOff
from pilotwire.domain.energy.events import OverridesChanged
from pilotwire.domain.energy.grid_limits import GridLimit, LimitState, state_of
from pilotwire.domain.energy.outside_tables import energy_grid_limit
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["GridLimitShown", "NewGridLimit", "hear", "list_limits", "node_of", "set_limit", "withdraw_limit"]


@dataclass(frozen=True, slots=True)
class NewGridLimit:
    """What a source says; see GridLimit. `node_id` None: the grid connection. `starts_at` None: now."""

    limit_w: float | None = None
    node_id: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    silent_after_s: float | None = None
    failsafe_w: float | None = None
    failsafe_for_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GridLimitShown:
    """A limit and what it is at this moment."""

    limit: GridLimit
    changed_by: str
    state: LimitState
    holds_w: float | None


async def set_limit(
    db: Database,
    bus: LocalBus,
    clock: Clock,
    principal: Principal,
    site_id: UUID,
    source: str,
    wanted: NewGridLimit,
) -> GridLimitShown:
    """Take what a source says; it replaces what it said before, and only ever tightens the tree.

    Raises: NotFound, Invalid, EnergyOff.
    """
    require(principal, Right.OVERRIDE_ENERGY)
    now = clock()
    starts_at = wanted.starts_at or now
    if wanted.ends_at is not None and wanted.ends_at <= max(starts_at, now):
        raise Invalid("ends_at lies before the beginning of the limit, or in the past")
    if (wanted.silent_after_s is None) != (wanted.failsafe_w is None):
        raise Invalid("silent_after_s and failsafe_w belong together: give both or none")
    async with db.tenant(principal.scope) as connection:
        tree = await _tree(connection, site_id)
        node_id = node_of(tree, wanted.node_id)
        before = await _find(connection, site_id, source)
        values = {
            "node_id": node_id,
            "limit_w": wanted.limit_w,
            "starts_at": starts_at,
            "ends_at": wanted.ends_at,
            "silent_after_s": wanted.silent_after_s,
            "failsafe_w": wanted.failsafe_w,
            "failsafe_for_s": wanted.failsafe_for_s,
            "reason": wanted.reason,
            "heard_at": now,
            "changed_by": principal.name,
        }
        key = {"site_id": site_id, "source": source, "tenant_id": principal.tenant_id}
        query = insert(energy_grid_limit).values(**key, **values, changed_at=func.now())
        query = query.on_conflict_do_update(
            index_elements=["site_id", "source"], set_={**values, "changed_at": func.now()}
        )
        row = (await connection.execute(query.returning(*energy_grid_limit.c))).one()
        after = {"source": source, **{name: values[name] for name in ("limit_w", "starts_at", "ends_at")}}
        old = None if before is None else {"source": source, "limit_w": before.limit_w}
        await keep_audit(
            connection, principal, "energy.grid_limit_set", str(site_id), before=old, after=after
        )
    bus.publish(OverridesChanged(principal.tenant_id, site_id))
    return _shown(row, now)


async def hear(
    db: Database, bus: LocalBus, clock: Clock, principal: Principal, site_id: UUID, source: str
) -> GridLimitShown:
    """Note that a source is there; what it said last goes on. Raises: NotFound."""
    require(principal, Right.OVERRIDE_ENERGY)
    now = clock()
    async with db.tenant(principal.scope) as connection:
        query = (
            energy_grid_limit.update()
            .where(energy_grid_limit.c.site_id == site_id, energy_grid_limit.c.source == source)
            .values(heard_at=now)
            .returning(*energy_grid_limit.c)
        )
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"the site has no limit of '{source}'; say one first")
    bus.publish(OverridesChanged(principal.tenant_id, site_id))
    return _shown(row, now)


async def withdraw_limit(
    db: Database, bus: LocalBus, principal: Principal, site_id: UUID, source: str
) -> None:
    """Forget a source, with its limit and its fail-safe value. Raises: NotFound."""
    require(principal, Right.OVERRIDE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        query = energy_grid_limit.delete().where(
            energy_grid_limit.c.site_id == site_id, energy_grid_limit.c.source == source
        )
        row = (await connection.execute(query.returning(*energy_grid_limit.c))).one_or_none()
        if row is None:
            raise NotFound(f"the site has no limit of '{source}'")
        before = {"source": source, "limit_w": row.limit_w, "starts_at": row.starts_at}
        await keep_audit(connection, principal, "energy.grid_limit_withdrawn", str(site_id), before=before)
    bus.publish(OverridesChanged(principal.tenant_id, site_id))


async def list_limits(
    db: Database, clock: Clock, principal: Principal, site_id: UUID
) -> Sequence[GridLimitShown]:
    """List what sources have said of a site, over or not. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        query = select(energy_grid_limit).where(energy_grid_limit.c.site_id == site_id)
        rows = (await connection.execute(query.order_by(energy_grid_limit.c.source))).all()
    return [_shown(row, clock()) for row in rows]


def node_of(tree: EnergyTree, wanted: str | None) -> str:
    """Give the id of the node that is meant; None means the grid connection. Raises: NotFound."""
    for node in tree.nodes:
        if node.id == wanted or (wanted is None and node.parent_id is None):
            return node.id
    raise NotFound(f"the tree has no node '{wanted}'")


async def _tree(connection: Any, site_id: UUID) -> EnergyTree:
    row = await queries.get_site_with_tree(connection, site_id)
    if row.tree is None or not row.enabled:
        raise EnergyOff("energy management does not run at this site: switch it on first")
    return read_tree(row.tree)


async def _find(connection: Any, site_id: UUID, source: str) -> Any:
    query = select(energy_grid_limit).where(
        energy_grid_limit.c.site_id == site_id, energy_grid_limit.c.source == source
    )
    return (await connection.execute(query)).one_or_none()


def _shown(row: Any, now: datetime) -> GridLimitShown:
    limit = GridLimit(**{name: getattr(row, name) for name in GridLimit.__struct_fields__})
    state, holds_w = state_of(limit, now)
    return GridLimitShown(limit, row.changed_by, state, holds_w)
