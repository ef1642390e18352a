"""Limits that people set for a time: of a node, or of an EVSE."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.core.ids import new_uuid
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.definition import read_tree
from pilotwire.domain.energy.errors import EnergyOff
from pilotwire.domain.energy.events import OverridesChanged
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = ["Override", "end_override", "list_overrides", "set_override"]


@dataclass(frozen=True, slots=True)
class Override:
    """A limit for a time; of the node `node_id`, or of an EVSE of a station."""

    expires_at: datetime
    node_id: str | None = None
    station_id: str | None = None
    evse_no: int | None = None
    limit_a: float | None = None
    limit_w: float | None = None
    reason: str = ""


async def set_override(
    db: Database, bus: LocalBus, clock: Clock, principal: Principal, site_id: UUID, wanted: Override
) -> Any:
    """Set a limit until it expires; it only ever tightens what the tree allows.

    Raises: NotFound, Invalid, EnergyOff.
    """
    require(principal, Right.OVERRIDE_ENERGY)
    if (wanted.node_id is None) == (wanted.station_id is None):
        raise Invalid("give exactly one of node_id and station_id (with evse_id)")
    if (wanted.limit_a is None) == (wanted.limit_w is None):
        raise Invalid("give exactly one of limit_a and limit_w")
    if wanted.expires_at <= clock():
        raise Invalid("expires_at lies in the past")
    async with db.tenant(principal.scope) as connection:
        row = await queries.get_site_with_tree(connection, site_id)
        if row.tree is None or not row.enabled:
            raise EnergyOff("energy management does not run at this site: switch it on first")
        tree = read_tree(row.tree)
        station_id = None
        if wanted.node_id is not None:
            if all(node.id != wanted.node_id for node in tree.nodes):
                raise NotFound(f"the tree has no node '{wanted.node_id}'")
        else:
            place = (wanted.station_id, wanted.evse_no or 1)
            if all((evse.station_id, evse.evse_id) != place for evse in tree.evses):
                raise NotFound(f"the tree has no EVSE {place[0]}/{place[1]}")
            station_id = await queries.find_station(connection, site_id, wanted.station_id or "")
            if station_id is None:
                raise NotFound(f"the site has no station '{wanted.station_id}'")
        made = await queries.insert_override(
            connection,
            {
                "id": new_uuid(),
                "tenant_id": principal.tenant_id,
                "site_id": site_id,
                "node_id": wanted.node_id,
                "station_id": station_id,
                "evse_no": None if station_id is None else wanted.evse_no or 1,
                "limit_a": wanted.limit_a,
                "limit_w": wanted.limit_w,
                "reason": wanted.reason,
                "created_by": principal.name,
                "expires_at": wanted.expires_at,
            },
        )
        after = {
            "node_id": wanted.node_id,
            "station_id": wanted.station_id,
            "evse_id": wanted.evse_no,
            "limit_a": wanted.limit_a,
            "limit_w": wanted.limit_w,
            "expires_at": wanted.expires_at,
            "reason": wanted.reason,
        }
        await keep_audit(connection, principal, "energy.override_set", str(site_id), after=after)
    bus.publish(OverridesChanged(principal.tenant_id, site_id))
    return made


async def list_overrides(db: Database, clock: Clock, principal: Principal, site_id: UUID) -> Sequence[Any]:
    """List the overrides that hold now. Raises: NotFound."""
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        return await queries.list_overrides(connection, site_id, clock())


async def end_override(
    db: Database, bus: LocalBus, principal: Principal, site_id: UUID, override_id: UUID
) -> None:
    """Take an override back. Raises: NotFound."""
    require(principal, Right.OVERRIDE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        row = await queries.end_override(connection, site_id, override_id)
        if row is None:
            raise NotFound(f"the site has no override {override_id}")
        before = {"node_id": row.node_id, "limit_a": row.limit_a, "limit_w": row.limit_w}
        await keep_audit(connection, principal, "energy.override_ended", str(site_id), before=before)
    bus.publish(OverridesChanged(principal.tenant_id, site_id))
