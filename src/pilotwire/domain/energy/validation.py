"""What is wrong with a site model, in words that say what to do about it."""

import math
from collections import Counter

import msgspec

from pilotwire.domain.energy.model import Connection, Evse, Node, Site

__all__ = ["Problem", "problems_of"]


class Problem(msgspec.Struct, frozen=True):
    """One fault: a stable code, the id of the part concerned, and a sentence that says what to do."""

    code: str
    where: str
    message: str


def problems_of(site: Site) -> list[Problem]:
    """Return everything wrong with a site model, tree first; empty means that the loops can work with it."""
    found = [*_tree(site)]
    nodes = {node.id for node in site.nodes}
    for node in site.nodes:
        found += _node(node)
    for evse in site.evses:
        found += _evse(evse, nodes)
    found += _assets(site, nodes)
    if not (math.isfinite(site.voltage_v) and site.voltage_v > 0):
        found.append(Problem("bad_number", site.id, "voltage_v must be above 0"))
    if not 0 <= site.offline.share <= 1:
        found.append(Problem("bad_share", site.id, "offline.share lies between 0 and 1"))
    return found


def _assets(site: Site, nodes: set[str]) -> list[Problem]:
    found = []
    hung = [(asset.id, asset.node_id) for asset in site.generators]
    hung += [(asset.id, asset.node_id) for asset in site.batteries]
    for name, node_id in hung:
        if node_id not in nodes:
            found.append(Problem("unknown_node", name, f"hangs on {node_id}, which does not exist"))
    for battery in site.batteries:
        if not (0 <= battery.min_soc < battery.max_soc <= 1):
            found.append(Problem("bad_soc", battery.id, "give 0 <= min_soc < max_soc <= 1"))
        efficiencies = (battery.charge_efficiency, battery.discharge_efficiency)
        if not (min(efficiencies) > 0 and max(efficiencies) <= 1):
            found.append(Problem("bad_efficiency", battery.id, "efficiencies lie above 0 and at most at 1"))
        if not (battery.capacity_wh > 0 and _positive((battery.max_charge_w, battery.max_discharge_w))):
            found.append(Problem("bad_number", battery.id, "capacity must be positive, powers not negative"))
    found += [
        Problem("bad_number", generator.id, "peak_w must not be negative")
        for generator in site.generators
        if not _positive((generator.peak_w,))
    ]
    return found


def _tree(site: Site) -> list[Problem]:
    found = []
    ids = Counter(
        part.id for parts in (site.nodes, site.evses, site.generators, site.batteries) for part in parts
    )
    for name, count in ids.items():
        if count > 1:
            found.append(Problem("twice", name, f"the id {name} is used {count} times; make it unique"))
    parents = {node.id: node.parent_id for node in site.nodes}
    roots = [node.id for node in site.nodes if node.parent_id is None]
    if len(roots) != 1:
        named = ", ".join(roots) or "none"
        found.append(
            Problem(
                "roots", site.id, f"a site has one node without a parent, its grid connection; found: {named}"
            )
        )
    for node in site.nodes:
        if node.parent_id is not None and node.parent_id not in parents:
            found.append(Problem("unknown_parent", node.id, f"its parent {node.parent_id} does not exist"))
        seen: set[str] = set()
        place: str | None = node.id
        while place is not None and place not in seen:
            seen.add(place)
            place = parents.get(place)
        if place is not None:
            found.append(
                Problem("circle", node.id, "its parents run in a circle; hang one of them elsewhere")
            )
    found += [
        Problem("no_limit", root.id, "the grid connection has no limit in A or W; give the main fuse")
        for root in site.nodes
        if root.parent_id is None and root.limit_a is None and root.limit_w is None
    ]
    return found


def _positive(values: tuple[float, ...]) -> bool:
    return all(math.isfinite(value) and value >= 0 for value in values)


def _node(node: Node) -> list[Problem]:
    found = []
    limits = [node.limit_a, *(window.limit_a for window in node.windows)]
    powers = [node.limit_w, *(window.limit_w for window in node.windows)]
    if not all(limit is None or _positive(limit) for limit in limits):
        found.append(Problem("bad_limit", node.id, "limits in A are finite numbers from 0 on, one per phase"))
    if not all(power is None or _positive((power,)) for power in powers):
        found.append(Problem("bad_limit", node.id, "limits in W are finite numbers from 0 on"))
    if not _positive((node.margin_a, node.margin_w, *node.base_a)):
        found.append(Problem("bad_number", node.id, "margins and base load are finite numbers from 0 on"))
    if node.limit_a is not None and node.margin_a >= max(node.limit_a):
        found.append(
            Problem("margin", node.id, f"the margin of {node.margin_a:g} A leaves nothing of the limit")
        )
    if not all(window.ends_s > window.starts_s for window in node.windows):
        found.append(Problem("bad_window", node.id, "a window of a limit ends before it starts"))
    if node.unbalance_a is not None and not node.unbalance_a > 0:
        found.append(Problem("bad_limit", node.id, "unbalance_a must be above 0, or absent for no rule"))
    if node.transformer is not None and not node.transformer.ratio > 0:
        found.append(
            Problem("bad_number", node.id, "a transformer's ratio is line voltage above by below, above 0")
        )
    return found


def _evse(evse: Evse, nodes: set[str]) -> list[Problem]:
    found = []
    if evse.node_id not in nodes:
        found.append(Problem("unknown_node", evse.id, f"hangs on {evse.node_id}, which does not exist"))
    lines = evse.lines
    if (
        not 1 <= len(lines) <= 3
        or len(set(lines)) != len(lines)
        or any(line not in (0, 1, 2) for line in lines)
    ):
        found.append(
            Problem("bad_lines", evse.id, "lines are one to three different ones of 0 (L1), 1 (L2), 2 (L3)")
        )
    if evse.connection is Connection.DELTA and len(lines) == 1:
        found.append(Problem("bad_lines", evse.id, "between two lines it needs both of them"))
    if not (math.isfinite(evse.max_a) and 0 < evse.min_a <= evse.max_a):
        found.append(Problem("bad_current", evse.id, "give 0 < min_a <= max_a"))
    steps = evse.steps_a
    if list(steps) != sorted(set(steps)) or any(not 0 < step <= evse.max_a for step in steps):
        found.append(Problem("bad_steps", evse.id, "steps_a rise from above 0 to at most max_a"))
    if not (math.isfinite(evse.voltage_v) and evse.voltage_v > 0):
        found.append(Problem("bad_number", evse.id, "voltage_v must be above 0"))
    if not 0 < evse.efficiency <= 1:
        found.append(Problem("bad_efficiency", evse.id, "efficiency lies above 0 and at most at 1"))
    return found
