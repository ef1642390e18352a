"""Giving a site its energy tree: as a whole or piece by piece."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from pilotwire.bus import LocalBus
from pilotwire.core.errors import Invalid, NotFound
from pilotwire.db.engine import Database
from pilotwire.domain.energy import queries
from pilotwire.domain.energy.definition import (
    EnergyTree,
    EvseGiven,
    NodeGiven,
    evse_key,
    problems_with,
    read_tree,
)
from pilotwire.domain.energy.errors import InvalidTree, TreeChanged
from pilotwire.domain.energy.events import EnergySiteChanged
from pilotwire.domain.energy.model import NodeKind
from pilotwire.domain.energy.validation import Problem
from pilotwire.domain.identity.model import Principal, Right, require
from pilotwire.domain.identity.repository import keep_audit

__all__ = [
    "WARNINGS",
    "SiteEnergy",
    "change_energy",
    "check_tree",
    "get_energy",
    "put_evse",
    "put_node",
    "remove_evse",
    "remove_node",
]

WARNINGS = frozenset({"station_missing", "unknown_evse"})
"""Problems that do not keep a tree from being used."""


@dataclass(frozen=True, slots=True)
class SiteEnergy:
    """A site's energy tree. `derived` says that nobody has given one: this is a proposal, and nothing is done by it."""

    site_id: UUID
    enabled: bool
    derived: bool
    version: int
    tree: EnergyTree
    problems: tuple[Problem, ...]
    changed_by: str = ""
    changed_at: datetime | None = None


async def get_energy(db: Database, principal: Principal, site_id: UUID) -> SiteEnergy:
    """Get a site's tree, or a proposal made of its stations.

    Raises: NotFound.
    """
    require(principal, Right.VIEW_NETWORK)
    async with db.tenant(principal.scope) as connection:
        return await _found(connection, site_id)


async def check_tree(db: Database, principal: Principal, site_id: UUID, given: Any) -> tuple[Problem, ...]:
    """Say what is wrong with a tree, and keep nothing.

    Raises: NotFound; Invalid where it is no tree at all.
    """
    require(principal, Right.VIEW_NETWORK)
    tree = _read(given)
    async with db.tenant(principal.scope) as connection:
        await queries.get_site_with_tree(connection, site_id)
        return tuple(problems_with(tree, await _known(connection, site_id)))


async def change_energy(
    db: Database,
    bus: LocalBus,
    principal: Principal,
    site_id: UUID,
    *,
    given: Any = None,
    enabled: bool | None = None,
    version: int | None = None,
) -> SiteEnergy:
    """Replace a site's tree, switch its energy management on or off, or both.

    A tree with faults is kept as a draft as long as it is off. `version` refuses the change of a tree that somebody else
    has changed since.
    Raises: NotFound, Invalid, InvalidTree, TreeChanged.
    """
    tree = None if given is None else _read(given)
    return await _change(db, bus, principal, site_id, lambda before: tree or before, enabled, version)


async def put_node(
    db: Database, bus: LocalBus, principal: Principal, site_id: UUID, given: Any
) -> SiteEnergy:
    """Add or replace one node. Raises: NotFound, Invalid, InvalidTree."""
    node = _convert(given, NodeGiven)

    def work(tree: EnergyTree) -> EnergyTree:
        others = [each for each in tree.nodes if each.id != node.id]
        place = next((index for index, each in enumerate(tree.nodes) if each.id == node.id), len(others))
        return msgspec.structs.replace(tree, nodes=(*others[:place], node, *others[place:]))

    return await _change(db, bus, principal, site_id, work)


async def remove_node(
    db: Database, bus: LocalBus, principal: Principal, site_id: UUID, node_id: str
) -> SiteEnergy:
    """Take a node away on which nothing hangs. Raises: NotFound, Invalid, InvalidTree."""

    def work(tree: EnergyTree) -> EnergyTree:
        if all(node.id != node_id for node in tree.nodes):
            raise NotFound(f"the tree has no node '{node_id}'")
        hung = [node.id for node in tree.nodes if node.parent_id == node_id]
        hung += [evse_key(evse.station_id, evse.evse_id) for evse in tree.evses if evse.node_id == node_id]
        hung += [asset.id for asset in tree.generators if asset.node_id == node_id]
        hung += [asset.id for asset in tree.batteries if asset.node_id == node_id]
        if hung:
            raise Invalid(f"{', '.join(hung[:5])} hangs on '{node_id}': move or remove it first")
        nodes = tuple(node for node in tree.nodes if node.id != node_id)
        return msgspec.structs.replace(tree, nodes=nodes)

    return await _change(db, bus, principal, site_id, work)


async def put_evse(
    db: Database, bus: LocalBus, principal: Principal, site_id: UUID, given: Any
) -> SiteEnergy:
    """Add or replace one EVSE. Raises: NotFound, Invalid, InvalidTree."""
    evse = _convert(given, EvseGiven)

    def work(tree: EnergyTree) -> EnergyTree:
        key = (evse.station_id, evse.evse_id)
        others = tuple(each for each in tree.evses if (each.station_id, each.evse_id) != key)
        return msgspec.structs.replace(tree, evses=(*others, evse))

    return await _change(db, bus, principal, site_id, work)


async def remove_evse(
    db: Database, bus: LocalBus, principal: Principal, site_id: UUID, station_id: str, evse_no: int
) -> SiteEnergy:
    """Take an EVSE off the tree. Raises: NotFound, Invalid, InvalidTree."""

    def work(tree: EnergyTree) -> EnergyTree:
        kept = tuple(each for each in tree.evses if (each.station_id, each.evse_id) != (station_id, evse_no))
        if len(kept) == len(tree.evses):
            raise NotFound(f"the tree has no EVSE {evse_key(station_id, evse_no)}")
        return msgspec.structs.replace(tree, evses=kept)

    return await _change(db, bus, principal, site_id, work)


async def _change(
    db: Database,
    bus: LocalBus,
    principal: Principal,
    site_id: UUID,
    work: Callable[[EnergyTree], EnergyTree],
    enabled: bool | None = None,
    version: int | None = None,
) -> SiteEnergy:
    require(principal, Right.MANAGE_ENERGY)
    async with db.tenant(principal.scope) as connection:
        await queries.lock_tree(connection, site_id)
        before = await _found(connection, site_id)
        if version is not None and version != before.version:
            raise TreeChanged(
                f"the tree has version {before.version} now, not {version}: read it again, then change it"
            )
        tree = work(before.tree)
        on = before.enabled if enabled is None else enabled
        problems = tuple(problems_with(tree, await _known(connection, site_id)))
        # What went wrong without a change of the tree, such as a station's removal, must not stop others from mending it.
        known = before.problems if before.enabled else ()
        faults = [problem for problem in problems if problem.code not in WARNINGS and problem not in known]
        if on and faults:
            raise InvalidTree(faults)
        row = await queries.keep_tree(
            connection,
            {
                "site_id": site_id,
                "tenant_id": principal.tenant_id,
                "enabled": on,
                "tree": msgspec.to_builtins(tree),
                "changed_by": principal.name,
            },
        )
        await keep_audit(
            connection,
            principal,
            "energy.changed",
            str(site_id),
            before=None if before.derived else _audited(before.tree, before.enabled),
            after=_audited(tree, on),
        )
    bus.publish(EnergySiteChanged(principal.tenant_id, site_id, row.version, on))
    return SiteEnergy(site_id, on, False, row.version, tree, problems, row.changed_by, row.changed_at)


def _audited(tree: EnergyTree, enabled: bool) -> dict[str, Any]:
    return {"enabled": enabled, "tree": msgspec.to_builtins(tree)}


async def _found(connection: AsyncConnection, site_id: UUID) -> SiteEnergy:
    row = await queries.get_site_with_tree(connection, site_id)
    known = await _known(connection, site_id)
    if row.tree is None:
        tree = derived_tree(known)
        return SiteEnergy(site_id, False, True, 0, tree, tuple(problems_with(tree, known)))
    tree = read_tree(row.tree)
    problems = tuple(problems_with(tree, known))
    return SiteEnergy(
        site_id, row.enabled, False, row.version, tree, problems, row.changed_by, row.changed_at
    )


def derived_tree(known: dict[str, frozenset[int]]) -> EnergyTree:
    """Propose a tree for stations: all on one grid connection, of which the limit is not known and has to be given."""
    evses = [
        EvseGiven(station_id=station, evse_id=number, node_id="grid")
        for station, numbers in known.items()
        for number in sorted(numbers) or (1,)
    ]
    grid = NodeGiven(id="grid", kind=NodeKind.GRID, name="Grid connection")
    return EnergyTree(nodes=(grid,), evses=tuple(evses))


async def _known(connection: AsyncConnection, site_id: UUID) -> dict[str, frozenset[int]]:
    rows: Sequence[Any] = await queries.list_evses(connection, site_id)
    return {row.identity: frozenset(row.evse_nos or ()) for row in rows}


def _read(given: Any) -> EnergyTree:
    try:
        return read_tree(given)
    except (msgspec.ValidationError, ValueError) as error:
        raise _invalid(error) from error


def _convert(given: Any, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(given, kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise _invalid(error) from error


def _invalid(error: Exception) -> Invalid:
    text, _, place = str(error).partition(" - at `$")
    field = place.rstrip("`").lstrip(".")
    return Invalid(f"{field}: {text}" if field else text)
