"""Random sites through random troubles, with an oracle of its own that adds true phasors up the tree.

Nothing here uses the compiled network: currents are computed from the site model again, in the plainest way.
"""

import cmath
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from pilotwire.domain.energy.balancing import Balancer, BalanceSettings, BalanceState
from pilotwire.domain.energy.exchange import Balance, Car, MeterReading, Moment
from pilotwire.domain.energy.model import (
    Connection,
    Evse,
    Metering,
    Node,
    NodeKind,
    OfflineRule,
    Phase,
    Site,
    Transformer,
)

TURN = cmath.exp(-2j * math.pi / 3)
ANGLE = {0: 1 + 0j, 1: TURN, 2: TURN * TURN}
ROUNDING_A = 1e-3


def random_site(dice: random.Random) -> Site:
    """A tree of one to four levels, star or delta, with and without transformer, unbalance rule, steps and limits in W."""
    delta = dice.random() < 0.3
    nodes = [
        Node(
            id="n0",
            parent_id=None,
            kind=NodeKind.GRID,
            limit_a=_limits(dice, 20, 400),
            limit_w=dice.choice([None, dice.uniform(1e4, 2e5)]),
            margin_a=dice.choice([0.0, 2.0]),
            metering=dice.choice(list(Metering)),
            base_a=_limits(dice, 0, 15),
            unbalance_a=20.0 if not delta and dice.random() < 0.3 else None,
        )
    ]
    for number in range(1, dice.randint(1, 7)):
        parent = dice.choice(nodes)
        stepped = delta and parent.parent_id is None and dice.random() < 0.4
        nodes.append(
            Node(
                id=f"n{number}",
                parent_id=parent.id,
                limit_a=dice.choice([None, _limits(dice, 10, 150)]),
                limit_w=dice.choice([None, None, dice.uniform(5e3, 8e4)]),
                metering=dice.choice([Metering.NONE, Metering.TOTAL]),
                base_a=_limits(dice, 0, 4),
                transformer=Transformer(2.309, _limits(dice, 20, 100)) if stepped else None,
            )
        )
    return Site(
        id="s",
        nodes=tuple(nodes),
        evses=tuple(_random_evse(dice, nodes, number, delta) for number in range(dice.randint(1, 12))),
        offline=OfflineRule(share=dice.choice([0.0, 0.3, 0.7, 1.0]), equal=dice.random() < 0.5),
    )


def _limits(dice: random.Random, low: float, high: float) -> tuple[float, float, float]:
    one = dice.uniform(low, high)
    if dice.random() < 0.7:
        return (one, one, one)
    return (one, dice.uniform(low, high), dice.uniform(low, high))


def _random_evse(dice: random.Random, nodes: list[Node], number: int, delta: bool) -> Evse:
    rotation = dice.randrange(3)
    lines = tuple(Phase((rotation + k) % 3) for k in range(dice.choice([1, 2, 3, 3])))
    between = delta and dice.random() < 0.8
    if between and len(lines) == 1:
        lines = (Phase(rotation), Phase((rotation + dice.choice([1, 2])) % 3))
    return Evse(
        id=f"e{number}",
        node_id=dice.choice(nodes).id,
        lines=lines,
        connection=Connection.DELTA if between else Connection.STAR,
        voltage_v=208.0 if between else 230.0,
        max_a=dice.choice([16.0, 32.0, 63.0, 300.0]),
        steps_a=dice.choice([(), (), (6.0, 8.0, 10.0, 13.0, 16.0), tuple(float(a) for a in range(6, 17))]),
        sheddable=dice.random() < 0.97,
    )


def vectors(evse: Evse) -> list[list[complex]]:
    """The line currents of 1 A on each conductor of an EVSE."""
    if evse.connection is Connection.DELTA and len(evse.lines) == 2:
        one, other = evse.lines
        unit = (ANGLE[one] - ANGLE[other]) / abs(ANGLE[one] - ANGLE[other])
        found = [0j, 0j, 0j]
        found[one], found[other] = unit, -unit
        return [found]
    return [[ANGLE[line] if k == line else 0j for k in range(3)] for line in evse.lines]


@dataclass
class Excess:
    """Where a limit was exceeded."""

    node: str
    what: str
    carried: float
    limit: float


def worst(parts: list[complex], bearable: float) -> float:
    """The greatest magnitude that any choice of the parts can add up to: other cars may stop.

    Not worked out where even the plain sum is bearable.
    """
    real = [part for part in parts if abs(part) > 1e-12]
    plain = sum(abs(part) for part in real)
    if plain <= bearable or len({round(cmath.phase(part), 6) for part in real}) <= 1:
        return plain
    directions = [cmath.exp(-1j * math.radians(degrees)) for degrees in range(0, 360, 3)]
    return max(sum(max(0.0, (part * turn).real) for part in real) for turn in directions)


def worst_beside(parts: list[complex], base: float, given: complex) -> float:
    """The same with base load while a battery gives: what it gives lies where it lies, and takes nothing off across."""
    real = [part for part in parts if abs(part) > 1e-12]
    along = -given / abs(given)
    if all(abs((part / along).imag) < 1e-9 for part in real):
        return base + sum(abs(part) for part in real) - abs(given)
    found = 0.0
    for degrees in range(0, 360, 3):
        turn = cmath.exp(-1j * math.radians(degrees))
        drawn = sum(max(0.0, (part * turn).real) for part in real)
        loads = base if (along * turn).real >= 0 else 0.0
        if drawn > 0:
            found = max(found, drawn + loads + (given * turn).real)
    return found


@dataclass
class Flows:
    """What runs through every place of a site: (node, own or primary, line)."""

    chargers: dict[tuple[str, str, int], list[complex]]
    base: dict[tuple[str, str, int], float]
    watts: dict[str, float]
    given: dict[tuple[str, str, int], complex]

    def lost(self, over: "Excess") -> float:
        """What batteries gave where a limit is exceeded."""
        if over.what == "W":
            return -self.watts[over.node]
        what, line = over.what.split()
        return abs(self.given.get((over.node, what, int(line[1]) - 1), 0j))


def flows_of(
    site: Site,
    legs_a: dict[str, list[float]],
    base_a: dict[str, tuple[float, ...]],
    gives_w: dict[str, float] | None = None,
) -> Flows:
    """Follow every conductor, every base load and what batteries give to the root."""
    nodes = {node.id: node for node in site.nodes}
    flows = Flows({}, {}, dict.fromkeys(nodes, 0.0), {})
    for origin, power_w in (gives_w or {}).items():
        _give_back(site, nodes, flows, origin, power_w)
    for evse in site.evses:
        for current, vector in zip(legs_a[evse.id], vectors(evse), strict=False):
            power_w = current * evse.watts_per_amp() / len(vectors(evse))
            for place, what, flow in upwards(nodes, evse.node_id, [current * part for part in vector], -1):
                for line in range(3):
                    flows.chargers.setdefault((place, what, line), []).append(flow[line])
                flows.watts[place] += power_w if what == "own" else 0.0
    for origin, load in base_a.items():
        for place, what, flow in upwards(nodes, origin, [complex(a) for a in load], 1):
            for line in range(3):
                key = (place, what, line)
                flows.base[key] = flows.base.get(key, 0.0) + flow[line].real
    return flows


def _give_back(site: Site, nodes: dict[str, Node], flows: Flows, origin: str, power_w: float) -> None:
    """Follow what a battery gives, in balance on three phases, to the root: in line with the voltages everywhere."""
    each_a, place = power_w / (3 * site.voltage_v / _ratio(nodes, nodes[origin])), nodes[origin]
    while True:
        flows.watts[place.id] -= power_w
        for what in ("own", "primary") if place.transformer is not None else ("own",):
            if what == "primary" and place.transformer is not None:
                each_a /= place.transformer.ratio
            for line in range(3):
                key = (place.id, what, line)
                flows.given[key] = flows.given.get(key, 0j) - each_a * ANGLE[line]
        if place.parent_id is None:
            return
        place = nodes[place.parent_id]


def excesses(
    site: Site,
    legs_a: dict[str, list[float]],
    base_a: dict[str, tuple[float, ...]],
    gives_w: dict[str, float] | None = None,
) -> list[Excess]:
    """Every limit that chargers and base loads together exceed, whoever of them stops, less what batteries give."""
    nodes = {node.id: node for node in site.nodes}
    flows = flows_of(site, legs_a, base_a, gives_w)
    found = []
    for node in site.nodes:
        limits = [("own", node.limit_a)]
        if node.transformer is not None:
            limits.append(("primary", node.transformer.primary_limit_a))
        for what, limit in limits:
            for line, most in enumerate(limit or ()):
                base = flows.base.get((node.id, what, line), 0.0)
                parts = flows.chargers.get((node.id, what, line), [])
                given = flows.given.get((node.id, what, line), 0j)
                total = worst_beside(parts, base, given) if given else base + worst(parts, most - base)
                if total > most + ROUNDING_A:
                    found.append(Excess(node.id, f"{what} L{line + 1}", total, most))
        if node.limit_w is not None:
            volts = site.voltage_v / _ratio(nodes, node)
            load_w = volts * sum(flows.base.get((node.id, "own", line), 0.0) for line in range(3))
            if flows.watts[node.id] + load_w > node.limit_w + 1.0:
                found.append(Excess(node.id, "W", flows.watts[node.id] + load_w, node.limit_w))
    return found


def upwards(
    nodes: dict[str, Node], start: str, flow: list[complex], sign: int
) -> Iterator[tuple[str, str, list[complex]]]:
    """Follow line currents from a node to the root, over transformers; base loads add up as magnitudes (`sign` 1)."""
    place: Node | None = nodes[start]
    while place is not None:
        yield place.id, "own", flow
        if place.transformer is not None:
            scale = place.transformer.ratio * math.sqrt(3)
            flow = [(flow[k] + sign * flow[k - 1]) / scale for k in range(3)]
            yield place.id, "primary", flow
        place = nodes[place.parent_id] if place.parent_id is not None else None


def _ratio(nodes: dict[str, Node], node: Node) -> float:
    ratio, place = 1.0, node
    while True:
        ratio *= place.transformer.ratio if place.transformer else 1.0
        if place.parent_id is None:
            return ratio
        place = nodes[place.parent_id]


@dataclass
class Station:
    """What an EVSE does by itself: it obeys the last order that reached it, and its default without a session."""

    default_a: float
    obeys_a: float | None = None
    sent_a: list[float] = field(default_factory=list)
    session: str | None = None
    used: tuple[bool, ...] = ()
    reachable: bool = True
    serial: int = 0

    def may_draw(self) -> float:
        """What the server must expect of it: the largest of what it obeys and of the orders on their way."""
        known = [self.default_a if self.obeys_a is None else self.obeys_a, *self.sent_a]
        return max(known) if self.session else self.default_a

    def claim(self, legs: int) -> list[float]:
        """What its conductors may carry by themselves, now or when another car comes while nobody listens."""
        now = (
            self.default_a
            if self.obeys_a is None or self.session is None
            else max(self.obeys_a, self.default_a)
        )
        used = self.used if self.session and self.used else (True,) * legs
        return [max(now if used[k] else 0.0, self.default_a) for k in range(legs)]


@dataclass
class World:
    """One site with its stations, meters and troubles; `tell` is one turn of the loop, `pass_time` what happens between."""

    dice: random.Random
    site: Site
    balancer: Balancer
    state: BalanceState
    stations: dict[str, Station]
    base_a: dict[str, tuple[float, ...]]
    now_s: float = 1_000_000.0
    meters_speak: bool = True
    last: Balance | None = None
    gives_w: dict[str, float] = field(default_factory=dict)
    """What a battery at a node is told to give, measured to give, and gives."""

    @classmethod
    def of(cls, seed: int) -> "World":
        """Make a world; equal seeds make equal worlds."""
        dice = random.Random(seed)
        site = random_site(dice)
        balancer = Balancer.of(
            site, BalanceSettings(min_on_s=0.0, min_off_s=0.0, ramp_a_per_s=dice.choice([1.0, 50.0]))
        )
        bounds = balancer.offline_a.tolist()
        stations = {evse.id: Station(bound) for evse, bound in zip(site.evses, bounds, strict=True)}
        base = {node.id: tuple(a * dice.random() for a in node.base_a) for node in site.nodes}
        return cls(dice, site, balancer, balancer.start(), stations, base)

    def pass_time(self) -> None:
        """Sessions begin and end, stations come and go, orders arrive or are lost, base load falls, meters fall silent."""
        dice = self.dice
        self.now_s += dice.choice([5.0, 10.0, 40.0, 150.0])
        for evse in self.site.evses:
            station = self.stations[evse.id]
            if dice.random() < 0.15:
                station.reachable = not station.reachable
            if station.sent_a and station.reachable and dice.random() < 0.8:
                station.obeys_a = station.sent_a[-1]
                station.sent_a = []
            elif station.sent_a and dice.random() < 0.3:  # it arrived, but the answer did not
                station.obeys_a = station.sent_a[-1]
            if dice.random() < (0.1 if station.session else 0.5):
                self._plug(evse, station)
        if dice.random() < 0.15:
            self.meters_speak = not self.meters_speak
        self.base_a = {
            name: tuple(a * dice.choice([1.0, 1.0, 0.7]) for a in load) for name, load in self.base_a.items()
        }

    def give(self, node_id: str, power_w: float) -> None:
        """A battery gives so much from now on."""
        self.gives_w = {node_id: power_w}

    def most_given_w(self, node_id: str) -> float:
        """What a battery at a node may give, so that it fills no fuse with what is fed back: half of what they bear."""
        nodes = {node.id: node for node in self.site.nodes}
        found = math.inf
        gives = {node_id: 1000.0}
        flows = flows_of(self.site, {each.id: [] for each in self.site.evses}, {}, gives)
        for (place, what, line), given in flows.given.items():
            transformer = nodes[place].transformer
            primary = None if transformer is None else transformer.primary_limit_a
            limit = nodes[place].limit_a if what == "own" else primary
            if limit is not None:
                found = min(found, 0.5 * limit[line] / abs(given) * 1000.0)
        return found

    def delivered_w(self) -> dict[str, float]:
        """What batteries under every node give."""
        nodes = {node.id: node for node in self.site.nodes}
        found: dict[str, float] = {}
        for origin, power_w in self.gives_w.items():
            for place, what, _ in upwards(nodes, origin, [0j, 0j, 0j], 1):
                if what == "own":
                    found[place] = found.get(place, 0.0) + power_w
        return found

    def _plug(self, evse: Evse, station: Station) -> None:
        station.obeys_a, station.sent_a, station.serial = None, [], station.serial + 1
        station.session = None if station.session else f"{evse.id}-{station.serial}"
        legs = len(vectors(evse))
        station.used = tuple(k == 0 or self.dice.random() < 0.8 for k in range(legs))

    def tell(self) -> Balance:
        """Let the loop decide and send its orders."""
        self.state, self.last = self.balancer.step(self.state, self._moment())
        for allocation in self.last.allocations:
            station = self.stations[allocation.evse_id]
            if station.session and station.reachable:
                station.sent_a = [*station.sent_a, allocation.limit_a]
        return self.last

    def _moment(self) -> Moment:
        dice, cars = self.dice, []
        for evse in self.site.evses:
            station = self.stations[evse.id]
            if station.session:
                draw = station.may_draw() * dice.choice([0.0, 0.5, 1.0, 1.0])
                cars.append(
                    Car(
                        session_id=station.session,
                        evse_id=evse.id,
                        connected_s=self.now_s - 600.0,
                        tier=dice.choice([0, 0, 1]),
                        weight=dice.choice([1.0, 2.0]),
                        phases_used=station.used,
                        wants_power=dice.random() < 0.9,
                        drawn_a=tuple(draw if used else 0.0 for used in station.used),
                        drawn_at_s=self.now_s,
                    )
                )
        return Moment(
            at_s=self.now_s,
            cars=tuple(cars),
            meters=self._meters(cars) if self.meters_speak else {},
            may_draw_a={
                name: station.may_draw() for name, station in self.stations.items() if station.session
            },
            offline=frozenset(name for name, station in self.stations.items() if not station.reachable),
            delivered_w=self.delivered_w(),
            planned_a={car.evse_id: dice.uniform(0, 32) for car in cars} if dice.random() < 0.3 else {},
        )

    def _meters(self, cars: list[Car]) -> dict[str, MeterReading]:
        drawn = {car.evse_id: list(car.drawn_a or ()) for car in cars}
        readings = {}
        for node in self.site.nodes:
            if node.metering is Metering.NONE:
                continue
            total = self.through(node.id, {e.id: drawn.get(e.id, []) for e in self.site.evses})
            if node.metering is Metering.BASE:
                total = self.through(node.id, {})
            readings[node.id] = MeterReading(self.now_s, (total[0], total[1], total[2]))
        return readings

    def through(self, node_id: str, legs_a: dict[str, list[float]]) -> list[float]:
        """What a meter sees: base load as magnitude and the chargers' phasor sum."""
        nodes = {node.id: node for node in self.site.nodes}
        flows, loads = [0j, 0j, 0j], [0.0, 0.0, 0.0]
        for evse in self.site.evses:
            for current, vector in zip(legs_a.get(evse.id, []), vectors(evse), strict=False):
                for place, what, flow in upwards(
                    nodes, evse.node_id, [current * part for part in vector], -1
                ):
                    if (place, what) == (node_id, "own"):
                        flows = [a + b for a, b in zip(flows, flow, strict=True)]
        for origin, load in self.base_a.items():
            for place, what, flow in upwards(nodes, origin, [complex(a) for a in load], 1):
                if (place, what) == (node_id, "own"):
                    loads = [a + b.real for a, b in zip(loads, flow, strict=True)]
        given = flows_of(self.site, {each.id: [] for each in self.site.evses}, {}, self.gives_w).given
        back = [abs(given.get((node_id, "own", line), 0j)) for line in range(3)]
        return [abs(flow) + load - less for flow, load, less in zip(flows, loads, back, strict=True)]

    def by_themselves(self) -> dict[str, list[float]]:
        """What the conductors of all stations may carry if nobody tells them anything any more."""
        found = {}
        for evse in self.site.evses:
            legs = len(vectors(evse))
            own = evse.max_a if not evse.sheddable else 0.0
            found[evse.id] = [max(a, own) for a in self.stations[evse.id].claim(legs)]
        return found

    def allocated(self) -> dict[str, list[float]]:
        """What the conductors of all stations are allowed by the last decision."""
        assert self.last is not None
        found = {}
        for evse, allocation in zip(self.site.evses, self.last.allocations, strict=True):
            station = self.stations[evse.id]
            legs = len(vectors(evse))
            used = station.used if station.session else (True,) * legs
            found[evse.id] = [allocation.limit_a if used[k] else 0.0 for k in range(legs)]
        return found

    def fuses_bear_what_cannot_be_told(self) -> bool:
        """Whether the site is one that can be kept safe: base load and chargers that never obey fit by themselves."""
        stubborn = {e.id: [0.0 if e.sheddable else e.max_a] * len(vectors(e)) for e in self.site.evses}
        worst_base = {node.id: tuple(node.base_a) for node in self.site.nodes}
        margins = msgspec.structs.replace(
            self.site, nodes=tuple(_less_margin(node) for node in self.site.nodes)
        )
        return not excesses(margins, stubborn, worst_base)


def _less_margin(node: Node) -> Node:
    if node.limit_a is None or not node.margin_a:
        return node
    one, two, three = (max(0.0, a - node.margin_a) for a in node.limit_a)
    return msgspec.structs.replace(node, limit_a=(one, two, three))
