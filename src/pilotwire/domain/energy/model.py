"""A site as energy management sees it: the tree of limits, what hangs on it, and what it costs.

Pure data. Currents are per conductor in A (rms), powers in W, energies in Wh, moments as seconds since 1970 (`_s`), so
that the numeric core needs no clock and no time zone.
"""

from enum import IntEnum, StrEnum

import msgspec

__all__ = [
    "Battery",
    "Connection",
    "Contract",
    "Evse",
    "Generator",
    "GeneratorKind",
    "LimitWindow",
    "Metering",
    "Node",
    "NodeKind",
    "OfflineRule",
    "Phase",
    "PhaseAmps",
    "PriceWindow",
    "Site",
    "Transformer",
]

PhaseAmps = tuple[float, float, float]
"""Current on L1, L2 and L3 of the site."""


class Phase(IntEnum):
    """A line conductor of the site; its value is the index in every per-phase tuple and array."""

    L1 = 0
    L2 = 1
    L3 = 2


class NodeKind(StrEnum):
    """What a node is called; all are treated alike."""

    GRID = "grid"
    TRANSFORMER = "transformer"
    FEEDER = "feeder"
    CIRCUIT = "circuit"
    STATION = "station"


class Metering(StrEnum):
    """What the meter of a node sees: everything under it, everything but the chargers, or there is no meter."""

    NONE = "none"
    TOTAL = "total"
    BASE = "base"


class LimitWindow(msgspec.Struct, frozen=True):
    """A tighter limit of a node from `starts_s` to `ends_s`, such as a schedule's hour or an order of the grid operator."""

    starts_s: float
    ends_s: float
    limit_a: PhaseAmps | None = None
    limit_w: float | None = None
    reason: str = ""


class Transformer(msgspec.Struct, frozen=True):
    """A delta-star transformer: the node's own limit holds on its lower side, these on the upper.

    `ratio` is line voltage above divided by line voltage below. Currents of one line below appear on two lines above.
    """

    ratio: float
    primary_limit_a: PhaseAmps | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the tree where current is limited or measured: the current of all under it, and its base load.

    `base_a` is the load other than chargers that is assumed where no meter tells (and the most that is expected of it
    where one does: the offline bound leaves room for that much). A node with `limit_a` and `limit_w` None only groups.
    `unbalance_a` is the greatest difference between two phases that chargers may cause. A `phasor` node adds currents of
    different phase angle as vectors, as chargers between two lines (delta) need; it is chosen by itself where such
    chargers hang below.
    """

    id: str
    parent_id: str | None
    kind: NodeKind = NodeKind.CIRCUIT
    name: str = ""
    limit_a: PhaseAmps | None = None
    limit_w: float | None = None
    margin_a: float = 0.0
    margin_w: float = 0.0
    windows: tuple[LimitWindow, ...] = ()
    unbalance_a: float | None = None
    metering: Metering = Metering.NONE
    base_a: PhaseAmps = (0.0, 0.0, 0.0)
    transformer: Transformer | None = None


class Connection(StrEnum):
    """How an EVSE is wired: between lines and neutral (or as a three-phase load), or between two lines."""

    STAR = "star"
    DELTA = "delta"


class Evse(msgspec.Struct, frozen=True, kw_only=True):
    """One place to charge and how it hangs on the tree.

    `lines` maps its own L1, L2, L3 to the site's: `(0, 1, 2)` as drawn, `(1, 2, 0)` rotated, `(1,)` one phase on L2. With
    `Connection.DELTA` it has the two lines between which it sits, or all three for a three-phase delta load. `voltage_v`
    is between its terminals: line to neutral for STAR, line to line for DELTA.
    `steps_a` are the only currents it can be set to besides 0 (ascending); empty means any from `min_a` to `max_a`.
    `dc` stations take alternating current at `efficiency` and are commanded in W; here they count by their input current.
    `sheddable` False: it cannot be told to stop, and always counts with `max_a`.
    """

    id: str
    node_id: str
    station_id: str = ""
    lines: tuple[Phase, ...] = (Phase.L1, Phase.L2, Phase.L3)
    connection: Connection = Connection.STAR
    voltage_v: float = 230.0
    max_a: float = 32.0
    min_a: float = 6.0
    steps_a: tuple[float, ...] = ()
    dc: bool = False
    efficiency: float = 1.0
    sheddable: bool = True
    can_discharge: bool = False

    def watts_per_amp(self) -> float:
        """Power taken from the tree at 1 A on each of its conductors."""
        legs = len(self.lines)
        if self.connection is Connection.DELTA:
            return self.voltage_v * (1.0 if legs == 2 else 3.0**0.5)
        return self.voltage_v * legs


class GeneratorKind(StrEnum):
    """What makes power at a site."""

    SOLAR = "solar"
    WIND = "wind"


class Generator(msgspec.Struct, frozen=True, kw_only=True):
    """Photovoltaics or wind on a node. Its forecast comes with the plan's inputs, its present power by the meters."""

    id: str
    node_id: str
    kind: GeneratorKind = GeneratorKind.SOLAR
    peak_w: float
    can_curtail: bool = True


class Battery(msgspec.Struct, frozen=True, kw_only=True):
    """A stationary battery, balanced over the three phases. `wear_per_kwh` is the cost of 1 kWh taken out of it."""

    id: str
    node_id: str
    capacity_wh: float
    max_charge_w: float
    max_discharge_w: float
    charge_efficiency: float = 0.96
    discharge_efficiency: float = 0.96
    min_soc: float = 0.05
    max_soc: float = 1.0
    wear_per_kwh: float = 0.0


class PriceWindow(msgspec.Struct, frozen=True):
    """Energy bought costs `price_per_kwh` from `starts_s` to `ends_s`; the last window of a moment wins."""

    starts_s: float
    ends_s: float
    price_per_kwh: float


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What the grid connection costs. `demand_price_per_kw` is for a month's highest mean over `demand_interval_s`."""

    currency: str = "EUR"
    price_per_kwh: float = 0.25
    windows: tuple[PriceWindow, ...] = ()
    feed_in_price_per_kwh: float = 0.0
    demand_price_per_kw: float = 0.0
    demand_interval_s: float = 900.0
    max_feed_in_w: float | None = None


class OfflineRule(msgspec.Struct, frozen=True, kw_only=True):
    """What stations may draw by themselves when nobody tells them anything.

    `share` of each fuse (after margin and base load) is divided among the stations' default profiles. An idle station
    keeps its part reserved, since a car may come while the server is away: a large share protects drivers in an outage, a
    small one leaves more to be shared while all is well. 0 means that a station without orders does not charge.
    """

    share: float = 0.5
    equal: bool = True
    """True: first the minimum to as many as possible, then equal parts. False: only the minimum, to as many as possible."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A whole site. Validate it with `validation.problems_of` before anything is computed with it.

    `voltage_v` is line to neutral at the grid connection; below a transformer it is divided by the ratio.
    """

    id: str
    voltage_v: float = 230.0
    nodes: tuple[Node, ...]
    evses: tuple[Evse, ...]
    generators: tuple[Generator, ...] = ()
    batteries: tuple[Battery, ...] = ()
    contract: Contract = Contract()
    offline: OfflineRule = OfflineRule()
