"""From meter readings to base load: what everything but the chargers draws at each node, and how far that is believed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pilotwire.domain.energy.exchange import MeterReading, Trust
from pilotwire.domain.energy.filling import Flags, Floats, Ints
from pilotwire.domain.energy.model import Metering
from pilotwire.domain.energy.network import Network

__all__ = ["BaseLoad", "MeterSettings", "estimate_base", "trust_of"]

_RANK = (Trust.FRESH, Trust.FROZEN, Trust.SILENT)


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """How meters are read. A rise of base load is taken over within seconds, a fall slowly; an overload at once.

    After `frozen_s` without a reading nothing under the meter is raised; after `silent_s` it is held to what is safe
    without the meter. With `lean_on_generation` a surplus of PV or wind may be used on top of the fuse.
    """

    frozen_s: float = 30.0
    silent_s: float = 120.0
    rise_s: float = 4.0
    fall_s: float = 30.0
    lean_on_generation: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class BaseLoad:
    """Smoothed base load of metered nodes, the moment of their last reading, and what batteries gave then.

    Shapes: (N, 3), (N,), (N,).
    """

    own_a: Floats
    heard_s: Floats
    leaned_a: Floats

    @classmethod
    def unknown(cls, network: Network) -> "BaseLoad":
        """Return the state before any reading."""
        count = len(network.site.nodes)
        return cls(np.full((count, 3), math.nan), np.full(count, -math.inf), np.zeros(count))


def trust_of(network: Network, state: BaseLoad, at_s: float, settings: MeterSettings) -> tuple[Ints, Ints]:
    """Return 0 fresh, 1 frozen, 2 silent: per node's own meter, and per EVSE the worst of all above it. (N,), (E,)."""
    age = at_s - state.heard_s
    own = np.where(network.metered, (age > settings.frozen_s).astype(np.int64) + (age > settings.silent_s), 0)
    inherited = own.copy()
    for level in reversed(network.levels[:-1]):
        inherited[level] = np.maximum(own[level], inherited[network.parent[level]])
    return own, inherited[network.evse_node]


def named(network: Network, trust: Ints) -> dict[str, Trust]:
    """Return the trust in the meters by node, of nodes that have one."""
    nodes = network.site.nodes
    return {n.id: _RANK[trust[k]] for k, n in enumerate(nodes) if n.metering is not Metering.NONE}


def estimate_base(
    network: Network,
    state: BaseLoad,
    at_s: float,
    meters: Mapping[str, MeterReading],
    drawn_a: Floats,
    settings: MeterSettings,
    *,
    delivered_w: Mapping[str, float] | None = None,
) -> tuple[BaseLoad, Floats, Floats]:
    """Take in readings and return the new state and the base load through every node, with and without what batteries give.

    Shapes: drawn_a (E, 3) -> (N, 3), (N, 3).

    A node counts with its meter while that speaks (less what the chargers draw, if it sees them), with the sum of what
    hangs below while it has none, and with its declared base load once it is silent. It is not less than nothing, but for
    `delivered_w`: what batteries under the node are told and measured to give. When they give less, that much is missing at
    once, as far as the meter shows it.
    """
    chargers = network.charger_current(drawn_a)
    own, heard, leaned = state.own_a.copy(), state.heard_s.copy(), state.leaned_a.copy()
    leans = np.zeros(len(own))
    for node_id, watts in (delivered_w or {}).items():
        if (number := network.node_index.get(node_id)) is not None:
            leans[number] = watts / (3 * network.voltage_v[number])
    for node_id, reading in meters.items():
        number = network.node_index.get(node_id)
        if number is None or reading.at_s <= heard[number] or reading.at_s > at_s + settings.frozen_s:
            continue
        node = network.site.nodes[number]
        seen = np.array(reading.current_a, float)
        if not np.isfinite(seen).all():
            continue
        raw = seen - chargers[number] if node.metering is Metering.TOTAL else seen
        lost = max(0.0, leaned[number] - leans[number])
        at_once = np.fmin(own[number] + lost, raw)
        own[number] = np.fmax(_smoothed(own[number], raw, reading.at_s - heard[number], settings), at_once)
        leaned[number] = leans[number]
        if node.metering is Metering.TOTAL and node.limit_a is not None:
            over = seen > np.array(node.limit_a) - node.margin_a
            own[number] = np.where(over, np.maximum(own[number], raw), own[number])
        heard[number] = min(reading.at_s, at_s)
    state = BaseLoad(own, heard, leaned)
    believed = at_s - heard <= settings.silent_s
    # A meter that says nothing any more does not show what is missing.
    unseen = np.where(at_s - heard > settings.frozen_s, np.maximum(0.0, leaned - leans), 0.0)
    own = own + unseen[:, None]
    least = np.where(believed, -leans, 0.0)[:, None]
    speaks, silent = network.metered & believed, network.metered & ~believed
    total = _through(network, own, speaks, silent, settings, least)
    if not leans.any():
        return state, total, total
    rest = _through(network, own + leans[:, None], speaks, silent, settings, np.zeros_like(least))
    return state, total, rest


def _smoothed(old: Floats, raw: Floats, waited_s: float, settings: MeterSettings) -> Floats:
    if np.isnan(old).any() or not math.isfinite(waited_s):
        return raw
    share = np.where(
        raw > old, -math.expm1(-waited_s / settings.rise_s), -math.expm1(-waited_s / settings.fall_s)
    )
    mixed: Floats = old + share * (raw - old)
    return mixed


def _through(
    network: Network, own: Floats, speaks: Flags, silent: Flags, settings: MeterSettings, least: Floats
) -> Floats:
    """Base load through every node, deepest first: the measured one replaces the sum of what is below."""
    worst = network.declared_base()
    total = network.base_a.copy()
    for level in network.levels:
        total[level] = np.where(speaks[level][:, None], own[level], total[level])
        total[level] = np.where(silent[level][:, None], np.maximum(worst[level], total[level]), total[level])
        if not settings.lean_on_generation:
            total[level] = np.maximum(total[level], least[level])
        if level is not network.levels[-1]:
            up = np.maximum(
                network.lifted(level, total[level]), 0.0 if not settings.lean_on_generation else -np.inf
            )
            np.add.at(total, network.parent[level], up)
    return total
