"""A site's energy tree as people give it and as it is kept, and what the loops make of it.

The loops know moments and arrays (`model.Site`); people know weekly hours, phase rotations and stations. Limits given as
one number hold for each phase.
"""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from pilotwire.domain.energy.forecast_policy import ForecastGiven
from pilotwire.domain.energy.model import (
    Battery,
    Connection,
    Contract,
    Evse,
    Generator,
    GeneratorKind,
    LimitWindow,
    Metering,
    Node,
    NodeKind,
    OfflineRule,
    Phase,
    PhaseAmps,
    Site,
    Transformer,
)
from pilotwire.domain.energy.schedule import WeeklyLimit, WeeklyPrice, limit_windows, price_windows
from pilotwire.domain.energy.validation import Problem, problems_of

__all__ = [
    "AssetMeter",
    "BatteryGiven",
    "ContractGiven",
    "EnergyTree",
    "EvseGiven",
    "GeneratorGiven",
    "HoursLimit",
    "HoursPrice",
    "NodeGiven",
    "OfflineGiven",
    "TransformerGiven",
    "compile_site",
    "evse_key",
    "problems_with",
    "read_tree",
]

Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^/\x00-\x1f]+$")]
AssetMeter = Annotated[str, Meta(min_length=1, max_length=200)]
_Amps = Annotated[float, Meta(ge=0, le=100_000)]
_Watts = Annotated[float, Meta(ge=0, le=1e10)]
# Bounds are checked by `problems_of`: msgspec 0.20 reads wild memory for a union of a bounded number and a tuple.
PerPhase = float | tuple[float, float, float]
Rotation = Literal["RST", "RTS", "SRT", "STR", "TRS", "TSR"]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$", description="HH:MM, local time.")]
_LINES = {"R": Phase.L1, "S": Phase.L2, "T": Phase.L3}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class _Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    """A part of a tree as people give it; unknown fields are refused, so that a typing error is noticed."""


class _Hours(_Given, frozen=True, kw_only=True):
    """Hours of the week in the site's time zone; `until` not after `since` runs over midnight."""

    days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    months: tuple[Annotated[int, Meta(ge=1, le=12)], ...] = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    since: Clock = "00:00"
    until: Clock = "24:00"


class HoursLimit(_Hours, frozen=True, kw_only=True):
    """A tighter limit of a node in some hours of the week."""

    limit_a: PerPhase | None = None
    limit_w: _Watts | None = None
    reason: Annotated[str, Meta(max_length=200)] = ""


class HoursPrice(_Hours, frozen=True, kw_only=True):
    """Another price of energy in some hours of the week; of several the last one wins."""

    price_per_kwh: Annotated[float, Meta(ge=-100, le=1000)]


class TransformerGiven(_Given, frozen=True, kw_only=True):
    """A delta-star transformer: the node's own limit is on its lower side, these on the upper."""

    ratio: Annotated[float, Meta(gt=0, le=10_000)]
    primary_limit_a: PerPhase | None = None


class NodeGiven(_Given, frozen=True, kw_only=True):
    """A fuse, cable or transformer. `meter` names what measures it, if `metering` says that something does.

    `metering`: `total` sees all that flows through the node, `base` all but the chargers under it. `base_a` is the load
    besides chargers where no meter tells, and the most that is expected of it where one does.
    """

    id: Name
    parent_id: Name | None = None
    kind: NodeKind = NodeKind.CIRCUIT
    name: Annotated[str, Meta(max_length=200)] = ""
    limit_a: PerPhase | None = None
    limit_w: _Watts | None = None
    margin_a: _Amps = 0.0
    margin_w: _Watts = 0.0
    schedule: Annotated[tuple[HoursLimit, ...], Meta(max_length=100)] = ()
    unbalance_a: _Amps | None = None
    metering: Metering = Metering.NONE
    meter: AssetMeter | None = None
    base_a: PerPhase = 0.0
    transformer: TransformerGiven | None = None


class EvseGiven(_Given, frozen=True, kw_only=True):
    """An EVSE and how it is wired. `phase_rotation` RST is as drawn; STR has its L1 on the site's L2, and so on.

    `number_phases` counts its own conductors from the first. A 1.6 station's connector n is its EVSE n. `steps_a` are the
    only currents it takes; `sheddable` false cannot be told to stop. `priority` 0 is served first.
    """

    station_id: Annotated[str, Meta(min_length=1, max_length=200)]
    evse_id: Annotated[int, Meta(ge=1, le=10_000)] = 1
    node_id: Name
    phase_rotation: Rotation = "RST"
    number_phases: Literal[1, 2, 3] = 3
    connection: Connection = Connection.STAR
    voltage_v: Annotated[float, Meta(gt=0, le=1000)] = 230.0
    max_a: _Amps = 32.0
    min_a: _Amps = 6.0
    steps_a: Annotated[tuple[_Amps, ...], Meta(max_length=100)] = ()
    dc: bool = False
    efficiency: Annotated[float, Meta(gt=0, le=1)] = 1.0
    sheddable: bool = True
    can_discharge: bool = False
    priority: Annotated[int, Meta(ge=0, le=9)] = 1
    weight: Annotated[float, Meta(gt=0, le=100)] = 1.0


class GeneratorGiven(_Given, frozen=True, kw_only=True):
    """Photovoltaics or wind; `meter` names what measures it."""

    id: Name
    node_id: Name
    kind: GeneratorKind = GeneratorKind.SOLAR
    name: Annotated[str, Meta(max_length=200)] = ""
    peak_w: _Watts
    can_curtail: bool = False
    meter: AssetMeter | None = None


class BatteryGiven(_Given, frozen=True, kw_only=True):
    """A stationary battery; `meter` names what tells its power and its charge."""

    id: Name
    node_id: Name
    name: Annotated[str, Meta(max_length=200)] = ""
    capacity_wh: Annotated[float, Meta(gt=0, le=1e10)]
    max_charge_w: _Watts
    max_discharge_w: _Watts
    charge_efficiency: Annotated[float, Meta(gt=0, le=1)] = 0.96
    discharge_efficiency: Annotated[float, Meta(gt=0, le=1)] = 0.96
    min_soc_percent: Annotated[float, Meta(ge=0, le=100)] = 5.0
    max_soc_percent: Annotated[float, Meta(ge=0, le=100)] = 100.0
    wear_per_kwh: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    meter: AssetMeter | None = None


class ContractGiven(_Given, frozen=True, kw_only=True):
    """What the grid connection costs. `demand_price_per_kw` is for a month's highest mean over `demand_interval_s`."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "EUR"
    price_per_kwh: Annotated[float, Meta(ge=-100, le=1000)] = 0.25
    hours: Annotated[tuple[HoursPrice, ...], Meta(max_length=200)] = ()
    feed_in_price_per_kwh: Annotated[float, Meta(ge=-100, le=1000)] = 0.0
    demand_price_per_kw: Annotated[float, Meta(ge=0, le=10_000)] = 0.0
    demand_interval_s: Annotated[float, Meta(ge=60, le=86_400)] = 900.0
    max_feed_in_w: _Watts | None = None


class OfflineGiven(_Given, frozen=True, kw_only=True):
    """What stations may draw by themselves when nobody tells them anything: this share of each fuse, divided."""

    share: Annotated[float, Meta(ge=0, le=1)] = 0.5
    equal: bool = True


class EnergyTree(_Given, frozen=True, kw_only=True):
    """The whole of a site: its tree, what hangs on it, and what it costs."""

    nodes: Annotated[tuple[NodeGiven, ...], Meta(max_length=5_000)] = ()
    evses: Annotated[tuple[EvseGiven, ...], Meta(max_length=20_000)] = ()
    generators: Annotated[tuple[GeneratorGiven, ...], Meta(max_length=100)] = ()
    batteries: Annotated[tuple[BatteryGiven, ...], Meta(max_length=100)] = ()
    contract: ContractGiven = ContractGiven()
    offline: OfflineGiven = OfflineGiven()
    forecast: ForecastGiven = ForecastGiven()


def read_tree(given: object) -> EnergyTree:
    """Read a tree.

    Raises: msgspec.ValidationError, which says where.
    """
    return msgspec.convert(given, EnergyTree, strict=False)


def evse_key(station_id: str, evse_no: int) -> str:
    """Give the name of an EVSE within its site; no node has one like it."""
    return f"{station_id}/{evse_no}"


def compile_site(
    tree: EnergyTree,
    site_id: str,
    zone: ZoneInfo,
    since_s: float,
    until_s: float,
    more_windows: dict[str, tuple[LimitWindow, ...]] | None = None,
) -> Site:
    """Make of a tree what the loops work with; weekly hours become windows from `since_s` to `until_s`.

    `more_windows` are further limits by node, such as those that people set for a time.
    """
    more = more_windows or {}
    return Site(
        id=site_id,
        nodes=tuple(_node(node, zone, since_s, until_s, more.get(node.id, ())) for node in tree.nodes),
        evses=tuple(_evse(evse) for evse in tree.evses),
        generators=tuple(
            Generator(
                id=each.id,
                node_id=each.node_id,
                kind=each.kind,
                peak_w=each.peak_w,
                can_curtail=each.can_curtail,
            )
            for each in tree.generators
        ),
        batteries=tuple(
            Battery(
                id=each.id,
                node_id=each.node_id,
                capacity_wh=each.capacity_wh,
                max_charge_w=each.max_charge_w,
                max_discharge_w=each.max_discharge_w,
                charge_efficiency=each.charge_efficiency,
                discharge_efficiency=each.discharge_efficiency,
                min_soc=each.min_soc_percent / 100,
                max_soc=each.max_soc_percent / 100,
                wear_per_kwh=each.wear_per_kwh,
            )
            for each in tree.batteries
        ),
        contract=_contract(tree.contract, zone, since_s, until_s),
        offline=OfflineRule(share=tree.offline.share, equal=tree.offline.equal),
    )


def problems_with(tree: EnergyTree, known_evses: dict[str, frozenset[int]] | None = None) -> list[Problem]:
    """Say what is wrong with a tree; `known_evses` are the site's stations, each with the EVSEs that it has told of."""
    found = problems_of(compile_site(tree, "site", ZoneInfo("UTC"), 0.0, 1.0))
    found += _meter_problems(tree)
    if known_evses is not None:
        found += _station_problems(tree, known_evses)
    return found


def _meter_problems(tree: EnergyTree) -> list[Problem]:
    found = []
    for node in tree.nodes:
        if node.metering is not Metering.NONE and node.meter is None:
            found.append(Problem("no_meter", node.id, "metering needs the name of its meter: give meter"))
        if node.metering is Metering.NONE and node.meter is not None:
            found.append(
                Problem("meter_unused", node.id, "it has a meter, but metering is none: give total or base")
            )
        if any(hours.limit_a is None and hours.limit_w is None for hours in node.schedule):
            found.append(
                Problem("no_limit", node.id, "hours of its schedule have neither limit_a nor limit_w")
            )
    return found


def _station_problems(tree: EnergyTree, known_evses: dict[str, frozenset[int]]) -> list[Problem]:
    found = []
    for evse in tree.evses:
        key, numbers = evse_key(evse.station_id, evse.evse_id), known_evses.get(evse.station_id)
        if numbers is None:
            found.append(
                Problem(
                    "unknown_station", key, f"the site has no station '{evse.station_id}'; add it there first"
                )
            )
        elif numbers and evse.evse_id not in numbers:
            named = ", ".join(map(str, sorted(numbers)))
            found.append(Problem("unknown_evse", key, f"the station has told of these EVSEs only: {named}"))
    placed = {evse.station_id for evse in tree.evses}
    missing = "the station belongs to the site, but none of its EVSEs is in the tree"
    found += [
        Problem("station_missing", station, missing) for station in known_evses if station not in placed
    ]
    return found


def per_phase(value: float | tuple[float, float, float] | None) -> PhaseAmps | None:
    """Give a limit as one per phase."""
    if value is None or isinstance(value, tuple):
        return value
    return (value, value, value)


def _node(
    node: NodeGiven, zone: ZoneInfo, since_s: float, until_s: float, more: tuple[LimitWindow, ...]
) -> Node:
    rules = tuple(
        WeeklyLimit(
            days=tuple(_DAYS.index(day) for day in hours.days),
            months=hours.months,
            from_minute=_minute(hours.since),
            to_minute=_minute(hours.until),
            limit_a=per_phase(hours.limit_a),
            limit_w=hours.limit_w,
            reason=hours.reason or "schedule",
        )
        for hours in node.schedule
    )
    transformer = None
    if node.transformer is not None:
        transformer = Transformer(node.transformer.ratio, per_phase(node.transformer.primary_limit_a))
    return Node(
        id=node.id,
        parent_id=node.parent_id,
        kind=node.kind,
        name=node.name,
        limit_a=per_phase(node.limit_a),
        limit_w=node.limit_w,
        margin_a=node.margin_a,
        margin_w=node.margin_w,
        windows=(*limit_windows(rules, zone, since_s, until_s), *more),
        unbalance_a=node.unbalance_a,
        metering=node.metering,
        base_a=per_phase(node.base_a) or (0.0, 0.0, 0.0),
        transformer=transformer,
    )


def _evse(evse: EvseGiven) -> Evse:
    return Evse(
        id=evse_key(evse.station_id, evse.evse_id),
        node_id=evse.node_id,
        station_id=evse.station_id,
        lines=tuple(_LINES[letter] for letter in evse.phase_rotation[: evse.number_phases]),
        connection=evse.connection,
        voltage_v=evse.voltage_v,
        max_a=evse.max_a,
        min_a=evse.min_a,
        steps_a=evse.steps_a,
        dc=evse.dc,
        efficiency=evse.efficiency,
        sheddable=evse.sheddable,
        can_discharge=evse.can_discharge,
    )


def _contract(contract: ContractGiven, zone: ZoneInfo, since_s: float, until_s: float) -> Contract:
    rules = tuple(
        WeeklyPrice(
            days=tuple(_DAYS.index(day) for day in hours.days),
            months=hours.months,
            from_minute=_minute(hours.since),
            to_minute=_minute(hours.until),
            price_per_kwh=hours.price_per_kwh,
        )
        for hours in contract.hours
    )
    return Contract(
        currency=contract.currency,
        price_per_kwh=contract.price_per_kwh,
        windows=price_windows(rules, zone, since_s, until_s),
        feed_in_price_per_kwh=contract.feed_in_price_per_kwh,
        demand_price_per_kw=contract.demand_price_per_kw,
        demand_interval_s=contract.demand_interval_s,
        max_feed_in_w=contract.max_feed_in_w,
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
