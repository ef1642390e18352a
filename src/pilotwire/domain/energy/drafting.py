"""The figures of a plan: what a request says, as costs and bounds of the columns and rows of a site's layout."""

import math
from dataclasses import dataclass

import numpy as np

from pilotwire.domain.energy.exchange import Car, PlanRequest
from pilotwire.domain.energy.filling import Flags, Floats, Ints
from pilotwire.domain.energy.horizon import GRID, Horizon
from pilotwire.domain.energy.layout import BACK, Assets, Layout, Reach, row_share
from pilotwire.domain.energy.network import POWER, PRIMARY, UNBALANCE, Network
from pilotwire.domain.energy.program import INFINITE, Figures

__all__ = ["Draft", "PlanSettings", "Wanted"]


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """`earlier_per_hour` is what waiting an hour costs, as part of the price of missing energy; small against real prices.

    A car of the next tier weighs `tier_share` of one of the tier before. `stay_s` and `energy_wh` stand in for what is not
    known of a car. While there are no more than `urgent_cars`, those that leave soon come before those that can wait; with
    more of them the solver would need several times as long. `small_wh` favours cars whose whole wish is that small, so
    that more of them leave with all they asked.
    """

    grid: tuple[tuple[int, float], ...] = GRID
    earlier_per_hour: float = 1e-4
    urgent_cars: int = 200
    tier_share: float = 0.3
    stay_s: float = 8 * 3600.0
    energy_wh: float = 15000.0
    favour_small: float = 0.0
    small_wh: float = 3000.0
    soc_reserve: float = 0.2


_QUARTER_S = 6 * 3600.0
_STEPS = 4
"""Cars are planned in as many steps as the last one stays, and a few at a time more."""

_CAR = np.dtype([("most", "f8"), ("leaves", "f8"), ("energy", "f8"), ("tier", "f8"), ("weight", "f8")])


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What the cars of a request want. One entry per EVSE, 0 where no car is: shapes (E,), `used` (E, 3).

    `cars` are the cars that have a place, by the number of their EVSE; `energy_kwh` is what they still want until
    `leaves_s`, `most_a` what they and their cables bear.
    """

    cars: dict[int, Car]
    at: Ints
    giving: frozenset[int]
    most_a: Floats
    leaves_s: Floats
    energy_kwh: Floats
    weight: Floats
    used: Flags

    @classmethod
    def of(cls, network: Network, settings: PlanSettings, request: PlanRequest) -> "Wanted":
        """Read the cars of a request; where two are at one EVSE the last one counts."""
        index, size = network.evse_index, network.size
        cars = {index[car.evse_id]: car for car in request.cars if car.evse_id in index}
        at = np.fromiter(cars, np.int64, len(cars))
        numbers = np.array([_numbers(car, settings) for car in cars.values()], _CAR)
        used = network.legs_mask.copy()
        giving = set()
        for number, car in cars.items():
            if car.phases_used is not None and any(car.phases_used):
                mask = np.zeros(3, bool)
                mask[: len(car.phases_used)] = car.phases_used[:3]
                used[number] &= mask
            if car.max_discharge_w > 0 and _can_give(network, number, car):
                giving.add(number)
        most, leaves, energy, weight = (np.zeros(size) for _ in range(4))
        most[at] = np.minimum(network.max_a[at], numbers["most"])
        # One that has stayed longer than expected may leave any moment.
        leaves[at] = np.maximum(numbers["leaves"], request.at_s + 300.0)
        energy[at] = numbers["energy"] / 1e3
        small = settings.favour_small * np.minimum(
            1.0, settings.small_wh / np.maximum(numbers["energy"], 1.0)
        )
        tiers = np.minimum(numbers["tier"] - numbers["tier"].min(initial=math.inf), 4.0)
        weight[at] = numbers["weight"] * settings.tier_share**tiers * (1.0 + small)
        return cls(cars, at, frozenset(giving), most, leaves, energy, weight, used)


def _numbers(car: Car, settings: PlanSettings) -> tuple[float, ...]:
    energy = settings.energy_wh if car.energy_wh is None else max(car.energy_wh, 0.0)
    return (
        math.inf if car.max_a is None else car.max_a,
        car.connected_s + settings.stay_s if car.departs_s is None else car.departs_s,
        energy if car.wants_power else 0.0,
        car.tier,
        car.weight,
    )


def _can_give(network: Network, number: int, car: Car) -> bool:
    return network.site.evses[number].can_discharge and car.capacity_wh is not None and car.soc is not None


class Draft:
    """One plan on its way to the solver. Units inside: kW, kWh, A. Shapes: E EVSEs, T steps, R rows of the network."""

    def __init__(self, network: Network, settings: PlanSettings, request: PlanRequest) -> None:
        self.network, self.settings, self.request = network, settings, request
        self.site = network.site
        self.horizon = Horizon.of(request.at_s, self.settings.grid)
        self.hours = self.horizon.hours
        self.wanted = Wanted.of(network, settings, request)
        contract = self.site.contract
        if request.prices is not None:
            self.prices = self.horizon.means(request.prices)
        else:
            self.prices = self.horizon.prices(contract.price_per_kwh, contract.windows)
        self.base_kw = self._base_kw()
        self.room = self._room()

    def assets(self, reach: Reach) -> Assets:
        """Return what this plan asks of its layout."""
        site, contract = self.site, self.site.contract
        metered = bool(
            site.generators
            or site.batteries
            or contract.demand_price_per_kw > 0
            or contract.max_feed_in_w is not None
            or self.wanted.giving
            or np.ptp(self.prices) > 0
        )
        most = reach.most(self.network)
        for node_id in (*(b.node_id for b in site.batteries), *(g.node_id for g in site.generators)):
            most += row_share(self.network, node_id) * 1e6
        last_s = self.wanted.leaves_s.max(initial=self.request.at_s)
        steps = int(np.searchsorted(self.horizon.starts_s, last_s))
        steps = min(-(-steps // _STEPS) * _STEPS, len(self.horizon))
        needed = most > self.room.min(axis=1, initial=math.inf)
        needed &= np.isfinite(self.room.max(axis=1, initial=-math.inf))
        return Assets(steps, metered, self.wanted.giving, frozenset(np.flatnonzero(needed).tolist()))

    def _base_kw(self) -> Floats:
        """Forecast load other than chargers that hangs on each node itself. Shapes: (N, T)."""
        declared = self.network.base_a.sum(axis=1) * self.network.voltage_v / 1e3
        found = np.repeat(declared[:, None], len(self.horizon), axis=1)
        for node_id, series in self.request.base_w.items():
            number = self.network.node_index.get(node_id)
            if number is not None:
                found[number] = self.horizon.means(series) / 1e3
        return found

    def _room(self) -> Floats:
        """What every row leaves to chargers in every step: the limits of its beginning, less forecast base load, which is
        taken as balanced. (R, T)."""
        network = self.network
        through = self.base_kw * 1e3 / (3.0 * network.voltage_v[:, None])
        above = 2.0 / (network.ratio[:, None] * math.sqrt(3))
        for level in network.levels[:-1]:
            stepped = np.isfinite(network.ratio[level])[:, None]
            lifted = np.where(stepped, through[level] * above[level], through[level])
            np.add.at(through, network.parent[level], lifted)
        node, kind = network.row_node, network.row_kind
        base = through[node]
        base[kind == PRIMARY] *= above[node[kind == PRIMARY]]
        base[kind == POWER] *= 3.0 * network.voltage_v[node[kind == POWER], None]
        base[kind == UNBALANCE] = 0.0
        if len(network.windowed):
            limits = np.stack([network.limits_at(t) for t in self.horizon.starts_s.tolist()], axis=1)
        else:
            limits = network.row_limit[:, None]
        room: Floats = (limits - base) * network.row_fit[:, None]
        return room

    def figures(self, layout: Layout) -> Figures:
        """Return costs and bounds of everything."""
        figures = Figures.of(layout.blocks.columns, layout.blocks.rows)
        self._cars(layout, figures)
        self._cars_that_give(layout, figures)
        self._batteries(layout, figures)
        self._generators(layout, figures)
        if len(layout.bought):
            self._connection(layout, figures)
        helped = bool(self.site.batteries or self.site.generators)
        room = self.room[layout.limits]
        limit = (room if helped else np.maximum(room, 0.0)) * self.hours
        limit = limit[:, : layout.bounds.shape[1]]
        figures.row_high[layout.bounds] = np.where(np.isfinite(limit), limit, INFINITE)
        return figures

    def _cars(self, layout: Layout, figures: Figures) -> None:
        """Ah per conductor of every car and step, worth what a missing kWh costs and a little less the later it comes."""
        wanted, steps = self.wanted, layout.assets.steps
        edges_s = self.horizon.edges_s[: steps + 1]
        kw = layout.kw_per_amp(wanted.used)
        stay = np.minimum(edges_s[1:], wanted.leaves_s[:, None]) - edges_s[:-1]
        high = np.clip(stay, 0.0, np.diff(edges_s)) / 3600.0 * wanted.most_a[:, None]
        waited = self.horizon.waited_hours[:steps] * self.settings.earlier_per_hour
        worth = self.request.unmet_price_per_kwh * wanted.weight * layout.gain * kw
        cost = -worth[:, None] * (1.0 - waited * self._pressed()[:, None])
        if not layout.assets.metered:
            cost = cost + self.prices[:steps] * kw[:, None]
        figures.cost[layout.currents], figures.high[layout.currents] = cost, high
        figures.row_high[layout.energy] = wanted.energy_kwh

    def _pressed(self) -> Floats:
        """How much a car minds waiting, 1 at most: the more, the sooner it leaves, so that whoever comes later finds others
        that can wait. (E,).

        It counts from a full quarter of the day, so that the costs of a car stay the same for a while.
        """
        if len(self.wanted.cars) > self.settings.urgent_cars:
            return np.ones(self.network.size)
        since_s = self.request.at_s // _QUARTER_S * _QUARTER_S
        pressed: Floats = np.clip(1.0 - (self.wanted.leaves_s - since_s) / (5 * _QUARTER_S), 0.02, 1.0)
        return pressed

    def _cars_that_give(self, layout: Layout, figures: Figures) -> None:
        """Discharge (Ah) and charge state (kWh) of cars that can give back, kept above the reserve."""
        settings, worth = self.settings, self.request.unmet_price_per_kwh
        kw = layout.kw_per_amp(self.wanted.used)
        for number, release, state, rows in zip(
            layout.giving.tolist(), layout.releases, layout.states, layout.moved, strict=True
        ):
            figures.row_low[rows] = figures.row_high[rows] = 0.0
            if number not in self.wanted.giving:
                figures.high[state] = INFINITE
                continue
            car = self.wanted.cars[number]
            capacity = (car.capacity_wh or 0.0) / 1e3
            low, start = settings.soc_reserve * capacity, (car.soc or 0.0) * capacity
            most = car.max_discharge_w / 1e3 / max(kw[number], 1e-9)
            here = figures.high[layout.currents[number]] > 0
            figures.cost[release] = worth * self.wanted.weight[number] / BACK * kw[number]
            figures.high[release] = np.where(here, most * self.hours[: len(here)], 0.0)
            figures.low[state], figures.high[state] = min(low, start), max(capacity, start)
            figures.row_low[rows[0]] = figures.row_high[rows[0]] = start

    def _batteries(self, layout: Layout, figures: Figures) -> None:
        """Charge, discharge and state (kWh) of stationary batteries; what is left at the end has its worth."""
        for battery, charge, release, state, rows in zip(
            self.site.batteries, layout.charges, layout.discharges, layout.stores, layout.stored, strict=True
        ):
            capacity = battery.capacity_wh / 1e3
            start = min(max(self.request.battery_soc.get(battery.id, 0.5), 0.0), 1.0) * capacity
            figures.high[charge] = battery.max_charge_w / 1e3 * self.hours
            figures.high[release] = battery.max_discharge_w / 1e3 * self.hours
            figures.cost[release] = battery.wear_per_kwh
            worth = float(np.min(self.prices)) * battery.discharge_efficiency * 0.9
            figures.cost[state[-1]] = min(-worth, 0.0)
            figures.low[state] = min(battery.min_soc * capacity, start)
            figures.high[state] = max(battery.max_soc * capacity, start)
            figures.row_low[rows] = figures.row_high[rows] = 0.0
            figures.row_low[rows[0]] = figures.row_high[rows[0]] = start

    def _generators(self, layout: Layout, figures: Figures) -> None:
        """The used energy of PV or wind: all of it, or less where it can be curtailed."""
        for generator, source in zip(self.site.generators, layout.sources, strict=True):
            series = self.request.generation_w.get(generator.id)
            if series is None:
                continue
            power = np.clip(self.horizon.means(series), 0.0, generator.peak_w) / 1e3
            figures.cost[source] = -1e-6
            figures.high[source] = power * self.hours
            figures.low[source] = 0.0 if generator.can_curtail else figures.high[source]

    def _connection(self, layout: Layout, figures: Figures) -> None:
        """Bought and fed-in energy (kWh), the month's peak (kW), and the balance of every step."""
        contract, hours = self.site.contract, self.hours
        able_w = sum(source.peak_w for source in self.site.generators)
        able_w += sum(battery.max_discharge_w for battery in self.site.batteries)
        able_w += sum(car.max_discharge_w for car in self.wanted.cars.values())
        most_out_w = able_w if contract.max_feed_in_w is None else min(able_w, contract.max_feed_in_w)
        load = self.base_kw.sum(axis=0)
        most_kw = 1e3 + load.max() + layout.kw_per_amp(self.network.legs_mask).sum() * 1e3 + able_w
        figures.cost[layout.bought] = self.prices
        figures.high[layout.bought] = most_kw * hours
        figures.cost[layout.sold] = -np.minimum(contract.feed_in_price_per_kwh, self.prices)
        figures.high[layout.sold] = most_out_w / 1e3 * hours
        figures.cost[layout.peak] = contract.demand_price_per_kw
        figures.low[layout.peak], figures.high[layout.peak] = self.request.peak_w / 1e3, INFINITE
        figures.row_low[layout.balance] = figures.row_high[layout.balance] = load * hours
        figures.row_high[layout.tops] = 0.0
