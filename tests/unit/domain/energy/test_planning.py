"""The plan: physically possible, cheap, never infeasible, and independent of what the solver remembers."""

import random
from typing import Any

import msgspec
import numpy as np
import pytest

from pilotwire.domain.energy.compiling import compile_site
from pilotwire.domain.energy.exchange import Car, Plan, PlanRequest, Series
from pilotwire.domain.energy.horizon import Horizon
from pilotwire.domain.energy.model import (
    Battery,
    Contract,
    Evse,
    Generator,
    Node,
    NodeKind,
    Phase,
    PriceWindow,
    Site,
)
from pilotwire.domain.energy.pilots import wishes_of
from pilotwire.domain.energy.planning import Planner
from tests.unit.domain.energy.campaign import excesses, random_site, vectors

NOW = 1_000_000_200.0  # on a full five minutes
HOUR = 3600.0


def site(**changes: Any) -> Site:
    plain = Site(
        id="s",
        nodes=(Node(id="grid", parent_id=None, kind=NodeKind.GRID, limit_a=(32.0, 32.0, 32.0)),),
        evses=(Evse(id="a", node_id="grid"), Evse(id="b", node_id="grid")),
    )
    return msgspec.structs.replace(plain, **changes)


def car(evse: str, kwh: float, hours: float, **changes: Any) -> Car:
    plain = Car(
        session_id=f"s-{evse}",
        evse_id=evse,
        connected_s=NOW,
        energy_wh=kwh * 1e3,
        departs_s=NOW + hours * HOUR,
    )
    return msgspec.structs.replace(plain, **changes)


def energy_kwh(plan: Plan, number: int, watts_per_amp: float) -> float:
    return (
        sum(a * s for a, s in zip(plan.cars[number].current_a, plan.steps_s, strict=True))
        * watts_per_amp
        / 3.6e6
    )


def test_a_cheap_night_is_used_and_the_deadline_kept() -> None:
    contract = Contract(price_per_kwh=0.40, windows=(PriceWindow(NOW + 4 * HOUR, NOW + 8 * HOUR, 0.10),))
    plan = Planner(compile_site(site(contract=contract))).solve(
        PlanRequest(at_s=NOW, cars=(car("a", 20, 10),))
    )
    assert plan.optimal
    assert plan.cars[0].unmet_wh < 1
    assert energy_kwh(plan, 0, 690) == pytest.approx(20, abs=0.01)
    early = [
        a for a, start in zip(plan.cars[0].current_a, plan.starts_s, strict=True) if start < NOW + 3.5 * HOUR
    ]
    assert max(early) == pytest.approx(0.0, abs=1e-6)
    assert plan.cost == pytest.approx(20 * 0.10, rel=0.01)


def test_without_prices_a_car_is_charged_as_soon_as_possible() -> None:
    plan = Planner(compile_site(site())).solve(PlanRequest(at_s=NOW, cars=(car("a", 5, 10),)))
    assert plan.cars[0].current_a[0] == pytest.approx(32.0)


def test_what_cannot_be_had_is_missing_and_nothing_is_infeasible() -> None:
    request = PlanRequest(at_s=NOW, cars=(car("a", 100, 1), car("b", 100, 1)))
    plan = Planner(compile_site(site())).solve(request)
    assert plan.optimal
    assert sum(one.unmet_wh for one in plan.cars) == pytest.approx(200e3 - 32 * 690, rel=1e-3)
    full = site(
        nodes=(Node(id="grid", parent_id=None, limit_a=(10.0, 10.0, 10.0), base_a=(30.0, 30.0, 30.0)),)
    )
    plan = Planner(compile_site(full)).solve(request)
    assert plan.optimal
    assert max(max(one.current_a) for one in plan.cars) == pytest.approx(0.0)


@pytest.mark.parametrize("sooner", ["a", "b"])
def test_who_leaves_sooner_is_charged_first_where_both_get_all(sooner: str) -> None:
    cars = tuple(car(name, 10, 3 if name == sooner else 9) for name in "ab")
    plan = Planner(compile_site(site())).solve(PlanRequest(at_s=NOW, cars=cars))
    assert sum(one.unmet_wh for one in plan.cars) < 2
    first = {one.evse_id: one.current_a[0] for one in plan.cars}
    assert first[sooner] == pytest.approx(32.0)
    assert sum(first.values()) == pytest.approx(32.0)


def test_a_site_without_cars_is_planned_again_and_again() -> None:
    for given in (site(), site(contract=Contract(price_per_kwh=0.3))):
        planner = Planner(compile_site(given))
        for minute in range(3):
            plan = planner.solve(PlanRequest(at_s=NOW + 60 * minute, cars=()))
            assert (plan.cars, plan.optimal) == ((), True)
        plan = planner.solve(PlanRequest(at_s=NOW + 240, cars=(car("a", 20, 10),)))
        assert plan.cars[0].unmet_wh < 1


def test_the_first_tier_comes_first() -> None:
    cars = (car("a", 30, 1, tier=1), car("b", 15, 1))
    plan = Planner(compile_site(site())).solve(PlanRequest(at_s=NOW, cars=cars))
    assert plan.cars[1].unmet_wh < 1
    assert plan.cars[0].unmet_wh > 20e3


def test_the_peak_of_the_month_is_not_exceeded_without_need() -> None:
    contract = Contract(price_per_kwh=0.3, demand_price_per_kw=15.0)
    planner = Planner(compile_site(site(contract=contract)))
    plan = planner.solve(PlanRequest(at_s=NOW, cars=(car("a", 20, 10),), peak_w=4000.0))
    assert plan.peak_w == pytest.approx(4000.0)
    assert max(plan.grid_w) <= 4001.0
    assert plan.cars[0].unmet_wh < 1


def test_sun_and_battery_feed_a_fast_charger_above_the_fuse() -> None:
    big = site(
        evses=(Evse(id="a", node_id="grid", max_a=120.0, dc=True, efficiency=0.95),),
        batteries=(
            Battery(id="store", node_id="grid", capacity_wh=100e3, max_charge_w=50e3, max_discharge_w=50e3),
        ),
        generators=(Generator(id="roof", node_id="grid", peak_w=20e3),),
    )
    request = PlanRequest(
        at_s=NOW,
        cars=(car("a", 60, 1),),
        generation_w={"roof": Series(NOW, HOUR, (10e3,) * 24)},
        battery_soc={"store": 0.9},
    )
    plan = Planner(compile_site(big)).solve(request)
    charged = plan.cars[0].current_a[0] * 690
    assert charged > 32 * 690 + 10e3
    assert plan.battery_w["store"][0] < -10e3
    assert plan.grid_w[0] <= 32 * 690 + 1
    assert plan.grid_w[0] - charged - plan.battery_w["store"][0] + plan.generation_w["roof"][
        0
    ] == pytest.approx(0, abs=1)


def test_a_car_gives_back_when_that_pays_and_still_leaves_full() -> None:
    windows = (PriceWindow(NOW, NOW + 2 * HOUR, 1.50), PriceWindow(NOW + 2 * HOUR, NOW + 24 * HOUR, 0.05))
    home = site(
        evses=(Evse(id="a", node_id="grid", can_discharge=True),),
        nodes=(Node(id="grid", parent_id=None, limit_a=(32.0,) * 3, base_a=(8.0, 8.0, 8.0)),),
        contract=Contract(windows=windows),
    )
    giving = car("a", 10, 12, max_discharge_w=5000.0, capacity_wh=60e3, soc=0.8)
    plan = Planner(compile_site(home)).solve(PlanRequest(at_s=NOW, cars=(giving,)))
    assert min(plan.cars[0].current_a) < -3
    assert plan.cars[0].unmet_wh < 1


@pytest.mark.parametrize("seed", range(40))
def test_plans_of_random_sites_respect_every_limit_in_every_step(seed: int) -> None:
    dice = random.Random(seed)
    tree = random_site(dice)
    network = compile_site(tree)
    cars = tuple(car(evse.id, dice.uniform(1, 60), dice.uniform(0.2, 12)) for evse in tree.evses)
    plan = Planner(network).solve(PlanRequest(at_s=NOW, cars=cars))
    assert plan.optimal
    base = {node.id: node.base_a for node in tree.nodes}
    nothing = {evse.id: [0.0] * len(vectors(evse)) for evse in tree.evses}
    already = {(over.node, over.what) for over in excesses(tree, nothing, base)}
    for step in range(0, len(plan.steps_s), 7):
        legs = {
            evse.id: [one.current_a[step]] * len(vectors(evse))
            for evse, one in zip(tree.evses, plan.cars, strict=True)
        }
        level = {node.id: (sum(node.base_a) / 3,) * 3 for node in tree.nodes}
        found = excesses(tree, legs, level)
        assert not [over for over in found if (over.node, over.what) not in already], (seed, step, found)


def test_a_warm_solver_finds_the_same_cost_as_a_cold_one() -> None:
    contract = Contract(
        windows=tuple(PriceWindow(NOW + k * HOUR, NOW + (k + 1) * HOUR, 0.1 + k % 5 / 10) for k in range(24))
    )
    network = compile_site(site(contract=contract))
    warm = Planner(network)
    for minute in range(12):
        request = PlanRequest(at_s=NOW + 60 * minute, cars=(car("a", 30 - minute / 5, 6), car("b", 20, 3)))
        mine, cold = warm.solve(request), Planner(network).solve(request)
        assert mine.cost == pytest.approx(cold.cost, abs=1e-3)
        assert sum(c.unmet_wh for c in mine.cars) == pytest.approx(sum(c.unmet_wh for c in cold.cars), abs=1)
    assert warm.solver.warm


@pytest.mark.parametrize("seed", range(5))
def test_cars_come_and_go_and_the_program_stays(seed: int) -> None:
    """What the solver has kept of earlier plans, of other cars on other phases, changes nothing of what is best now."""
    dice = random.Random(seed)
    tree = random_site(dice)
    while len(tree.evses) < 5:
        tree = random_site(dice)
    contract = Contract(
        demand_price_per_kw=dice.choice([0.0, 10.0]), windows=(PriceWindow(NOW, NOW + HOUR, 0.4),)
    )
    evses = tuple(msgspec.structs.replace(evse, can_discharge=dice.random() < 0.3) for evse in tree.evses)
    network = compile_site(msgspec.structs.replace(tree, contract=contract, evses=evses))
    kept, warm = Planner(network), 0
    for minute in range(9):
        cars = tuple(
            car(
                evse.id,
                dice.uniform(1, 30),
                dice.uniform(0.2, 23),
                session_id=f"{evse.id}-{minute}",
                phases_used=dice.choice([None, (True, False, False), (True, True, True)]),
                max_discharge_w=dice.choice([0.0, 4000.0]),
                capacity_wh=40e3,
                soc=0.6,
            )
            for evse in tree.evses
            if dice.random() < 0.6
        )
        request = PlanRequest(at_s=NOW + 70 * minute, cars=cars, peak_w=dice.choice([0.0, 5e3]))
        cold = Planner(network)
        plan, fresh = kept.solve(request), cold.solve(request)
        assert plan.optimal
        assert fresh.optimal
        assert [one.session_id for one in plan.cars] == [one.session_id for one in cars]
        assert objective(kept) == pytest.approx(objective(cold), rel=1e-6, abs=1e-6)
        warm += kept.solver.warm
    assert warm >= 4


def objective(planner: Planner) -> float:
    return float(planner.solver.highs.getInfo().objective_function_value)


def test_the_last_bit_is_wished_at_the_least_current() -> None:
    network = compile_site(site())
    request = PlanRequest(at_s=NOW, cars=(car("a", 0.05, 2),))
    plan = Planner(network).solve(request)
    assert 0 < plan.cars[0].current_a[0] < 1
    assert wishes_of(network, plan, request, NOW)["a"] == 6.0


def test_means_over_the_grid_keep_the_total() -> None:
    horizon = Horizon.of(NOW + 100)
    values = tuple(float(v) for v in range(96))
    means = horizon.means(Series(NOW - 1800, 900.0, values))
    fine = np.repeat(values, 900)
    begin = 1800 + 100
    end = begin + int(horizon.edges_s[-1] - horizon.edges_s[0])
    padded = np.concatenate((fine, np.full(max(0, end - len(fine)), values[-1])))
    assert float((means * horizon.hours).sum() * HOUR) == pytest.approx(float(padded[begin:end].sum()))
    assert Phase.L1 == 0
