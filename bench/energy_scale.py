"""Budgets of energy management on sites of 1,000 to 5,000 EVSEs: a three-level, three-phase tree, nine in ten occupied."""

import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from pilotwire.domain.energy.balancing import Balancer
from pilotwire.domain.energy.exchange import Car, MeterReading, Moment, PlanRequest
from pilotwire.domain.energy.model import (
    Contract,
    Evse,
    Metering,
    Node,
    NodeKind,
    OfflineRule,
    Phase,
    PriceWindow,
    Site,
)
from pilotwire.domain.energy.planning import Planner

BUDGETS = {"balance_ms": 20.0, "plan_warm_ms": 50.0, "plan_cold_ms": 1000.0, "memory_mib": 150.0}
NOW = 1_700_000_100.0


def big_site(evses: int) -> Site:
    """A grid connection, a feeder per hundred EVSEs, a circuit of 80 A per ten; mixed, rotated phases; hourly prices."""
    dice = np.random.default_rng(1)
    fuse, base = evses * 8.0, evses * 0.5
    feeders, circuits = max(1, evses // 100), max(1, evses // 10)
    nodes = [
        Node(
            id="grid",
            parent_id=None,
            kind=NodeKind.GRID,
            limit_a=(fuse, fuse, fuse),
            limit_w=fuse * 690 * 0.95,
            metering=Metering.TOTAL,
            base_a=(base, base, base),
        )
    ]
    share = evses / feeders * 9.0
    nodes += [Node(id=f"feeder-{k}", parent_id="grid", limit_a=(share, share, share)) for k in range(feeders)]
    nodes += [
        Node(id=f"circuit-{k}", parent_id=f"feeder-{k % feeders}", limit_a=(80.0, 80.0, 80.0))
        for k in range(circuits)
    ]
    places = []
    for number in range(evses):
        rotation, three = int(dice.integers(3)), dice.random() < 0.6
        lines = tuple(Phase((rotation + k) % 3) for k in range(3 if three else 1))
        places.append(Evse(id=f"e{number}", node_id=f"circuit-{number % circuits}", lines=lines))
    prices = tuple(
        PriceWindow(NOW + 3600 * k, NOW + 3600 * (k + 1), 0.2 + 0.02 * (k * 7 % 5)) for k in range(30)
    )
    return Site(
        id="big",
        nodes=tuple(nodes),
        evses=tuple(places),
        contract=Contract(windows=prices, demand_price_per_kw=15.0),
        offline=OfflineRule(share=0.3),
    )


def cars_at(evses: int, moment: float, drawn: dict[str, float]) -> tuple[Car, ...]:
    """Nine in ten places with a car that wants 4 to 26 kWh within 2 to 12 hours and draws what it may, up to 16 to 32 A."""
    dice = np.random.default_rng(3)
    energy, stay = dice.uniform(4e3, 26e3, evses), dice.uniform(2, 12, evses) * 3600
    return tuple(
        Car(
            session_id=f"s{number}",
            evse_id=f"e{number}",
            connected_s=NOW - 600,
            energy_wh=float(energy[number]) - (moment - NOW),
            departs_s=NOW + float(stay[number]),
            drawn_a=(min(drawn.get(f"e{number}", 0.0), 16.0 + number % 17),) * 3,
            drawn_at_s=moment - 1,
        )
        for number in range(evses)
        if number % 10 != 9
    )


def measure_one(evses: int) -> dict[str, Any]:
    """CPU time of balancing and planning one site, cold and warm, and the peak of this process's memory."""
    empty = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    balancer = Balancer.of(big_site(evses))
    state, planner = balancer.start(), Planner(balancer.network)
    given: dict[str, float] = {}
    balance: list[float] = []
    for turn in range(40):
        now = NOW + 5 * turn
        cars = cars_at(evses, now, given)
        current = evses * 0.3 + 10 * (turn % 2)
        drawn = np.zeros((evses, 3))
        for car in cars:
            drawn[balancer.network.evse_index[car.evse_id]] = car.drawn_a or 0.0
        seen = balancer.network.charger_current(drawn * balancer.network.legs_mask)[0] + current
        meters = {"grid": MeterReading(now, (float(seen[0]), float(seen[1]), float(seen[2])))}
        moment = Moment(at_s=now, cars=cars, meters=meters, may_draw_a=given)
        begin = time.process_time()
        state, decided = balancer.step(state, moment)
        balance.append((time.process_time() - begin) * 1e3)
        given = {allocation.evse_id: allocation.limit_a for allocation in decided.allocations}
    plans: list[float] = []
    again: list[float] = []
    optimal = True
    for turn in range(12):
        moment_s = NOW + 60 * turn
        request = PlanRequest(at_s=moment_s, cars=cars_at(evses, moment_s, given))
        begin = time.process_time()
        optimal &= planner.solve(request).optimal
        plans.append((time.process_time() - begin) * 1e3)
        begin = time.process_time()
        planner.solver.solve()
        again.append((time.process_time() - begin) * 1e3)
    return {
        "evses": evses,
        "rows": len(balancer.network.rows),
        "balance_ms": float(np.median(balance[1:])),
        "balance_worst_ms": float(np.max(balance[1:])),
        "plan_cold_ms": plans[0],
        "plan_warm_ms": float(np.median(plans[1:])),
        "plan_warm_worst_ms": float(np.max(plans[1:])),
        "plan_again_ms": float(np.median(again[1:])),
        "plan_ratio": float(np.median(np.array(plans[1:]) / np.array(again[1:]))),
        "optimal": optimal,
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "memory_at_start_mib": empty,
    }


def measure_scale() -> tuple[list[dict[str, Any]], int]:
    """Measure each size in a process of its own, print the table, and say whether 1,000 EVSEs keep the budgets."""
    print(
        "CPU milliseconds of one thread; budgets at 1,000 EVSEs: balance 20, plan warm 50, cold 1,000, memory 150 MiB"
    )
    print(
        f"{'EVSEs':>6s} {'balance':>8s} {'worst':>7s} {'plan warm':>10s} {'worst':>7s} {'unchanged':>10s} {'ratio':>6s} "
        f"{'plan cold':>10s} {'memory MiB':>11s}"
    )
    rows = []
    for evses in (100, 1000, 2000, 5000):
        code = f"import json; from bench.energy_scale import measure_one; print(json.dumps(measure_one({evses})))"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        row: dict[str, Any] = json.loads(ended.stdout)
        rows.append(row)
        print(
            f"{row['evses']:6d} {row['balance_ms']:8.1f} {row['balance_worst_ms']:7.1f} {row['plan_warm_ms']:10.1f} "
            f"{row['plan_warm_worst_ms']:7.1f} {row['plan_again_ms']:10.1f} {row['plan_ratio']:6.2f} "
            f"{row['plan_cold_ms']:10.1f} {row['memory_mib']:11.1f}",
            flush=True,
        )
    thousand = next(row for row in rows if row["evses"] == 1000)
    return rows, 0 if all(thousand[name] <= most for name, most in BUDGETS.items()) else 1
