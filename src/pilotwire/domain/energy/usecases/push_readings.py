"""Taking readings of a site's meters, whoever brings them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.definition import BatteryGiven, EnergyTree, GeneratorGiven, NodeGiven, read_tree
from pilotwire.domain.energy.events import MeterRead, Reading
from pilotwire.domain.identity.model import Principal, Right, require

__all__ = ["list_meters", "meters_of", "push_readings"]

_MOST_AHEAD = timedelta(seconds=60)


async def push_readings(
    db: Database,
    bus: LocalBus,
    clock: Clock,
    principal: Principal,
    site_id: UUID,
    name: str,
    readings: Sequence[Reading],
) -> tuple[str, ...]:
    """Keep the newest of some readings of a meter and tell the loops; return what the meter measures.

    Raises: NotFound for a site or a meter that is not in its tree, Invalid.
    """
    require(principal, Right.PUSH_READINGS)
    if not readings:
        raise Invalid("there is no reading")
    now = clock()
    newest = max(readings, key=lambda reading: reading.at)
    if newest.at > now + _MOST_AHEAD:
        raise Invalid(f"at: {newest.at.isoformat()} lies in the future; is the meter's clock wrong?")
    if newest.current_a is None and newest.power_w is None and newest.soc_percent is None:
        raise Invalid("a reading has current_a, power_w or soc_percent")
    async with db.tenant(principal.scope) as connection:
        row = await queries.get_site_with_tree(connection, site_id)
        known = {} if row.tree is None else meters_of(read_tree(row.tree))
        if name not in known:
            named = ", ".join(sorted(known)) or "none; name it in the site's energy tree first"
            raise NotFound(f"the site's energy tree has no meter '{name}'; there are {named}")
        l1, l2, l3 = newest.current_a or (None, None, None)
        await queries.upsert_reading(
            connection,
            {
                "site_id": site_id,
                "name": name,
                "tenant_id": principal.tenant_id,
                "at": newest.at,
                "received_at": now,
                "current_l1_a": l1,
                "current_l2_a": l2,
                "current_l3_a": l3,
                "power_w": newest.power_w,
                "soc_percent": newest.soc_percent,
            },
        )
    bus.publish(MeterRead(principal.tenant_id, site_id, name, now, newest))
    return known[name]


async def list_meters(
    db: Database, principal: Principal, site_id: UUID
) -> list[tuple[str, tuple[str, ...], Any]]:
    """List the meters of a site's tree, what each measures, and its newest reading (None: never read).

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        row = await queries.get_site_with_tree(connection, site_id)
        known = {} if row.tree is None else meters_of(read_tree(row.tree))
        rows = {each.name: each for each in await queries.list_meters(connection, site_id)}
    return [(name, places, rows.get(name)) for name, places in sorted(known.items())]


def meters_of(tree: EnergyTree) -> dict[str, tuple[str, ...]]:
    """Give the meters that are pushed to us, each with the nodes and assets that it measures."""
    found: dict[str, tuple[str, ...]] = {}
    parts: list[NodeGiven | GeneratorGiven | BatteryGiven] = [*tree.nodes, *tree.generators, *tree.batteries]
    for part in parts:
        if part.meter is not None and not part.meter.startswith("ocpp:"):
            found[part.meter] = (*found.get(part.meter, ()), part.id)
    return found
