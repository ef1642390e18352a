"""One site in memory: its cars, meters and drives, and one turn of the loops over them. No I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from pilotwire.domain.energy.balancing import Balancer, BalanceSettings, BalanceState
from pilotwire.domain.energy.definition import EnergyTree, EvseGiven, compile_site, evse_key
from pilotwire.domain.energy.drive import (
    HOLD_S,
    PACE,
    Drive,
    Pace,
    excess_a,
    is_stuck,
    may_draw_a,
    takes_more,
)
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.exchange import (
    Balance,
    Car,
    MeterReading,
    Moment,
    Plan,
    PlanRequest,
    Series,
)
from pilotwire.domain.energy.forecasts.shapes import Model
from pilotwire.domain.energy.messages import Schedule
from pilotwire.domain.energy.model import Evse, LimitWindow, Metering
from pilotwire.domain.energy.network import Network
from pilotwire.domain.energy.ports import PlanSolver, SiteForecast
from pilotwire.domain.energy.repository import SiteRow
from pilotwire.domain.energy.wishes import Wish
from pilotwire.domain.sessions.messages import Sample
from pilotwire.jobs.energy.batteries import BatteryOrder, delivered_w, with_orders
from pilotwire.jobs.energy.expecting import (
    Expected,
    anchored_generation,
    anchored_load,
    departure_s,
    expect_all,
    with_energy,
)
from pilotwire.jobs.energy.flows import Flows, asset_w, flows_of
from pilotwire.jobs.energy.limiters import Limiter, capped, limit_at

__all__ = ["MakePlanner", "Plugged", "SiteLoop"]

MakePlanner = Callable[[Network], PlanSolver]
_VOLTAGE_V = 230.0
_AHEAD_S = 36 * 3600.0
_PLAN_OLD_S = 900.0
_FRESH_S = 60.0
_NO_BOUND = 0.0
_LEAST_HOLD_S = 30.0


@dataclass(slots=True)
class Plugged:
    """A session at an EVSE: what its car draws and wants."""

    session_id: UUID
    began_at: datetime
    energy_wh: float = 0.0
    soc_percent: float | None = None
    charging_state: str | None = None
    wish: Wish = field(default_factory=Wish)
    drawn_a: tuple[float, ...] | None = None
    drawn_w: float | None = None
    drawn_at_s: float | None = None
    phases_used: tuple[bool, ...] | None = None
    token_uid: str | None = None
    fixed_departure: bool = False
    """An operator has said when it leaves: no forecast takes the place of that."""
    fixed_energy: bool = False
    expected: Expected | None = None


class SiteLoop:
    """The loops of one site."""

    def __init__(
        self,
        row: SiteRow,
        tree: EnergyTree,
        now_s: float,
        interval_s: float = 5.0,
        make_planner: MakePlanner | None = None,
    ) -> None:
        self.site_id, self.tenant_id, self.version = row.site_id, row.tenant_id, row.version
        self.zone = ZoneInfo(row.time_zone)
        self.interval_s = interval_s
        self.make_planner = make_planner
        self.tree = tree
        self.given: dict[str, EvseGiven] = {
            evse_key(each.station_id, each.evse_id): each for each in tree.evses
        }
        self.station_ids: dict[str, int] = {}
        self.plugged: dict[str, Plugged] = {}
        self.drives: dict[str, Drive] = {key: Drive() for key in self.given}
        self.readings: dict[str, tuple[float, Reading]] = {}
        self.node_windows: dict[str, tuple[LimitWindow, ...]] = {}
        self.overrides: dict[str, Limiter] = {}
        self.external: dict[tuple[str, int, str], tuple[float, tuple[Schedule, ...]]] = {}
        self.orders: dict[str, BatteryOrder] = {}
        self.peak_w = 0.0
        self.plan: Plan | None = None
        self.plan_ms = 0.0
        self.balance: Balance | None = None
        self.balance_ms = 0.0
        self.moment: Moment | None = None
        self.flows = Flows()
        self.stays: Mapping[str, Model] = {}
        self._compiled_until_s = 0.0
        self.balancer: Balancer
        self.state: BalanceState
        self.planner: PlanSolver | None = None
        self.bound_a: dict[str, float] = {}
        self.compile(now_s)

    # The model

    def compile(self, now_s: float) -> None:
        """Make arrays of the tree with its windows around now; what the loop has learnt is carried over."""
        since_s, until_s = now_s - 3600.0, now_s + _AHEAD_S
        site = compile_site(self.tree, str(self.site_id), self.zone, since_s, until_s, self.node_windows)
        # A step of the ramp must be more than what counts as no change at all, or a limit would never rise.
        largest = max((evse.max_a for evse in site.evses), default=0.0)
        ramp = max(2.0, 2 * max(1.0, 0.05 * largest) / self.interval_s)
        balancer = Balancer.of(site, BalanceSettings(fresh_s=_FRESH_S, ramp_a_per_s=ramp))
        first = not hasattr(self, "state")
        self.state = balancer.start() if first else balancer.carried(self.balancer, self.state)
        self.balancer = balancer
        self.planner = None if self.make_planner is None else self.make_planner(balancer.network)
        self.evses: dict[str, Evse] = {evse.id: evse for evse in site.evses}
        self.site = site
        self.bound_a = {
            evse.id: float(bound) for evse, bound in zip(site.evses, balancer.offline_a, strict=True)
        }
        self._compiled_until_s = now_s + _AHEAD_S / 2

    def compile_if_old(self, now_s: float) -> None:
        """Compile again before the windows run out."""
        if now_s > self._compiled_until_s:
            self.compile(now_s)

    def replace_tree(self, tree: EnergyTree, version: int, zone: str, now_s: float) -> None:
        """Take another tree; drives of EVSEs that stay go on."""
        self.tree, self.version, self.zone = tree, version, ZoneInfo(zone)
        self.given = {evse_key(each.station_id, each.evse_id): each for each in tree.evses}
        self.drives = {key: self.drives.get(key) or Drive() for key in self.given}
        self.plugged = {key: car for key, car in self.plugged.items() if key in self.given}
        self.plan = None
        self.compile(now_s)

    # What is heard

    def heard_sample(self, key: str, sample: Sample, at_s: float) -> None:
        """Take what the meter of an EVSE read."""
        car, evse = self.plugged.get(key), self.evses[key]
        if car is None:
            return
        legs = len(evse.lines)
        currents = (sample.current_l1_a, sample.current_l2_a, sample.current_l3_a)[:legs]
        power_w = sample.power_w
        if evse.dc:
            if power_w is None:
                return
            drawn = (max(0.0, power_w) / (evse.watts_per_amp() * evse.efficiency),) * legs
        elif any(current is not None for current in currents):
            drawn = tuple(abs(current or 0.0) for current in currents)
            if power_w is None:
                power_w = sum(drawn) * evse.voltage_v
        elif power_w is not None and legs == 1:
            drawn = (max(0.0, power_w) / evse.voltage_v,)
        else:
            # Power alone does not say on which phases: it counts for nothing that could hurt a fuse.
            car.drawn_w = power_w if power_w is not None else car.drawn_w
            return
        car.drawn_a, car.drawn_w, car.drawn_at_s = drawn, power_w, at_s
        if max(drawn) > 3.0 and not evse.dc:
            used = tuple(current > 1.0 for current in drawn)
            before = car.phases_used or (False,) * legs
            car.phases_used = tuple(now or was for now, was in zip(used, before, strict=True))
        if sample.soc_percent is not None:
            car.soc_percent = sample.soc_percent

    def is_surprised(self, key: str, now_s: float) -> bool:
        """Tell whether what an EVSE draws asks for a turn at once: more than it may, or while a limit is exceeded."""
        if self.balance is not None and self.balance.overdrawn:
            return True
        car = self.plugged.get(key)
        return (
            car is not None
            and car.drawn_a is not None
            and takes_more(self.drives[key], max(car.drawn_a), now_s)
        )

    def meter_of(self, name: str) -> list[str]:
        """Give the nodes that a meter measures."""
        return [node.id for node in self.tree.nodes if node.meter == name]

    # One turn

    def make_moment(self, now: datetime, offline: frozenset[str], pace: Pace = PACE) -> Moment:
        """Put together all that balancing is told."""
        now_s = now.timestamp()
        cars = tuple(self._car(key, car) for key, car in self.plugged.items())
        may = {key: may_draw_a(drive, self.evses[key].max_a, now_s) for key, drive in self.drives.items()}
        self.moment = Moment(
            at_s=now_s,
            cars=cars,
            meters=with_orders(self, self._meter_readings(), now_s),
            delivered_w=delivered_w(self, now_s),
            may_draw_a=may,
            offline=offline,
            planned_a=self.planned_a(now_s),
            overrides_a=self.ceilings_a(now_s),
            excess_a={key: excess_a(self.drives[key], now_s) for key in self.plugged},
            stuck=frozenset(key for key in self.plugged if is_stuck(self.drives[key], now_s, pace)),
        )
        return self.moment

    def balance_now(self, moment: Moment) -> tuple[BalanceState, Balance]:
        """Decide what every EVSE may draw. Pure: safe in a thread."""
        state, balance = self.balancer.step(self.state, moment)
        if not moment.overrides_a:
            return state, balance
        # The loop leaves every EVSE its offline bound; a ceiling of an operator or of the grid holds all the same.
        below = tuple(capped(each, moment.overrides_a.get(each.evse_id)) for each in balance.allocations)
        return state, msgspec.structs.replace(balance, allocations=below)

    def plan_request(self, now_s: float, forecast: SiteForecast) -> PlanRequest:
        """Put together all that planning is told."""
        expect_all(self, now_s)
        cars = tuple(
            with_energy(self.tree.forecast, car, self._car(key, car)) for key, car in self.plugged.items()
        )
        soc = {}
        for battery in self.tree.batteries:
            reading = self.readings.get(battery.meter or "")
            if reading is not None and reading[1].soc_percent is not None:
                soc[battery.id] = reading[1].soc_percent / 100
        return PlanRequest(
            at_s=now_s,
            cars=cars,
            base_w=anchored_load(self, forecast, now_s) or self._base_as_now(now_s),
            generation_w={**self._generation_as_now(now_s), **anchored_generation(self, forecast, now_s)},
            prices=forecast.prices,
            peak_w=self.peak_w,
            battery_soc=soc,
        )

    def hold_s(self) -> float:
        """Tell how long a limit may hold without this server: no longer than the batteries that bear a part of it."""
        if self.balance is None or not self.balance.leans:
            return HOLD_S
        giving = [order.silent_after_s for order in self.orders.values() if (order.told_w or 0.0) > 0]
        return min(HOLD_S, max(_LEAST_HOLD_S, min(giving, default=HOLD_S)))

    def planned_a(self, now_s: float) -> dict[str, float]:
        """Give what the plan would give now, while it is young enough to be worth something."""
        plan = self.plan
        if plan is None or now_s - plan.at_s > _PLAN_OLD_S:
            return {}
        step = 0
        while step + 1 < len(plan.starts_s) and plan.starts_s[step + 1] <= now_s:
            step += 1
        sessions = {key: str(car.session_id) for key, car in self.plugged.items()}
        return {
            each.evse_id: each.current_a[step]
            for each in plan.cars
            if sessions.get(each.evse_id) == each.session_id
        }

    def tail_of(self, key: str, now_s: float) -> list[tuple[float, float]]:
        """Give what an EVSE does by itself after its limit has run out: the plan, never above the offline bound."""
        bound = self.bound_a[key]
        ceiling = self.ceilings_a(now_s).get(key)
        if ceiling is not None and ceiling < bound:
            bound = ceiling
        plan = self.plan
        if plan is not None and bound > _NO_BOUND and now_s - plan.at_s < _PLAN_OLD_S:
            least = self.evses[key].min_a
            for each in plan.cars:
                if each.evse_id == key:
                    return [
                        (start, bound if amount >= least else 0.0)
                        for start, length, amount in zip(
                            plan.starts_s, plan.steps_s, each.current_a, strict=True
                        )
                        if start + length > now_s
                    ]
        return [(now_s, bound)]

    def ceilings_a(self, now_s: float) -> dict[str, float]:
        """Give the ceilings of operators and of others, the lowest for each EVSE."""
        found: dict[str, float] = {}
        for key, limiter in self.overrides.items():
            if limiter.expires_s > now_s:
                found[key] = self._in_amps(key, limiter)
        for key in self.evses:
            outside = self.external_a(key, now_s)
            if outside is not None:
                found[key] = min(outside, found.get(key, outside))
        return found

    def external_a(self, key: str, now_s: float) -> float | None:
        """Give the limit of somebody else at an EVSE; one of a whole station is divided among its EVSEs with cars."""
        given = self.given[key]
        lowest: float | None = None
        for (station, evse_no, _), (received_s, schedules) in self.external.items():
            if station != given.station_id or evse_no not in (0, given.evse_id):
                continue
            share = 1
            if evse_no == 0:
                share = max(1, sum(self.given[each].station_id == station for each in self.plugged))
            for schedule in schedules:
                limit = limit_at(schedule, received_s, now_s)
                if limit is None:
                    continue
                if schedule.unit == "w":
                    limit /= self._watts(key)
                limit /= share
                lowest = limit if lowest is None else min(lowest, limit)
        return lowest

    def most_a(self, key: str) -> float:
        """Give the most that an EVSE and its car take."""
        car = self._car(key, self.plugged[key])
        most = self.evses[key].max_a
        return most if car.max_a is None else min(most, car.max_a)

    def _car(self, key: str, car: Plugged) -> Car:
        given, evse, wish = self.given[key], self.evses[key], car.wish
        left = None if wish.energy_wh is None else max(0.0, wish.energy_wh - car.energy_wh)
        most = [wish.most_current_a]
        if wish.most_power_w is not None:
            most.append(wish.most_power_w / self._watts(key))
        bounds = [each for each in most if each is not None and each >= evse.min_a]
        return Car(
            session_id=str(car.session_id),
            evse_id=key,
            connected_s=car.began_at.timestamp(),
            energy_wh=left,
            departs_s=departure_s(self.tree.forecast, car),
            tier=given.priority if wish.priority is None else wish.priority,
            weight=given.weight,
            max_a=min(bounds) if bounds else None,
            drawn_a=car.drawn_a,
            drawn_at_s=car.drawn_at_s,
            wants_power=left is None or left > 0,
            phases_used=self.phases_of(key, car),
            capacity_wh=wish.capacity_wh,
            soc=None if car.soc_percent is None else car.soc_percent / 100,
        )

    def phases_of(self, key: str, car: Plugged) -> tuple[bool, ...] | None:
        """Tell which conductors a car uses: as was seen, else as it has said; None where nobody knows."""
        evse, said = self.evses[key], car.wish.phases
        if car.phases_used is None and said is not None and not evse.dc and said < len(evse.lines):
            return tuple(number < said for number in range(len(evse.lines)))
        return car.phases_used

    def _watts(self, key: str) -> float:
        evse = self.evses[key]
        return evse.watts_per_amp() * (evse.efficiency if evse.dc else 1.0)

    def _in_amps(self, key: str, limiter: Limiter) -> float:
        if limiter.limit_a is not None:
            return limiter.limit_a
        return (limiter.limit_w or 0.0) / self._watts(key)

    def _meter_readings(self) -> dict[str, MeterReading]:
        found = {}
        for node in self.tree.nodes:
            if node.metering is Metering.NONE or node.meter is None:
                continue
            heard = self.readings.get(node.meter)
            if heard is None:
                continue
            at_s, reading = heard
            current = reading.current_a
            if current is None and reading.power_w is not None:
                each = reading.power_w / (3 * _VOLTAGE_V)
                current = (each, each, each)
            if current is not None:
                found[node.id] = MeterReading(at_s, current)
        return found

    def overloaded(self) -> bool:
        """Tell whether a fuse bears too much, margin aside.

        A meter that sees all of its node reads more, or what stations drew at the last turn was more together.
        """
        if self.balance is not None and self.balance.overdrawn:
            return True
        nodes = {
            node.id: node for node in self.site.nodes if node.metering is Metering.TOTAL and node.limit_a
        }
        return any(
            abs(seen) > most - nodes[node_id].margin_a
            for node_id, reading in (self._meter_readings() if nodes else {}).items()
            if node_id in nodes
            for seen, most in zip(reading.current_a, nodes[node_id].limit_a or (), strict=True)
        )

    def measure(self, now_s: float) -> Flows:
        """Work out where power flows, from what meters and stations have said lately."""
        self.flows = flows_of(self, now_s)
        return self.flows

    def price(self, now_s: float) -> float:
        """Give the contract's price of energy now."""
        contract = self.site.contract
        price = contract.price_per_kwh
        for window in contract.windows:
            if window.starts_s <= now_s < window.ends_s:
                price = window.price_per_kwh
        return price

    def _base_as_now(self, now_s: float) -> dict[str, Series]:
        root = next((node for node in self.tree.nodes if node.parent_id is None), None)
        if root is None or self.flows.base_w is None or root.metering is Metering.NONE:
            return {}
        found = {node.id: Series(now_s, 3600.0, (0.0,)) for node in self.tree.nodes}
        found[root.id] = Series(now_s, 3600.0, (max(0.0, self.flows.base_w),))
        return found

    def _generation_as_now(self, now_s: float) -> dict[str, Series]:
        """Without a forecast: what is made now goes on for an hour and fades within three."""
        found = {}
        for generator in self.tree.generators:
            power = max(0.0, asset_w(self, generator.meter, now_s))
            found[generator.id] = Series(now_s, 3600.0, (power, power * 0.5, power * 0.2, 0.0))
        return found
