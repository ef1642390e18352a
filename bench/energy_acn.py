"""One run of the comparison on acnportal; called by `bench.energy` in an environment of its own, prints one line of JSON.

Needs acnportal 0.3.3 (numpy < 2, pandas < 2.2), highspy and msgspec; Pilotwire's numeric core comes from the checkout by
PYTHONPATH, so what is measured is the code that the server runs.
"""

import csv
import gzip
import io
import json
import sys
import time
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import highspy
import numpy as np

warnings.filterwarnings("ignore")

from acnportal import acnsim  # noqa: E402
from acnportal.acnsim.models import EV, Battery  # noqa: E402
from acnportal.algorithms import (  # noqa: E402
    BaseAlgorithm,
    RoundRobin,
    SortedSchedulingAlgo,
    earliest_deadline_first,
    first_come_first_served,
    least_laxity_first,
)
from acnportal.signals.tariffs import TimeOfUseTariff  # noqa: E402

from pilotwire.domain.energy.balancing import Balancer, BalanceSettings  # noqa: E402
from pilotwire.domain.energy.exchange import Car, Moment, PlanRequest  # noqa: E402
from pilotwire.domain.energy.model import (  # noqa: E402
    Connection,
    Evse,
    Node,
    NodeKind,
    OfflineRule,
    Phase,
    Site,
    Transformer,
)
from pilotwire.domain.energy.pilots import wishes_of  # noqa: E402
from pilotwire.domain.energy.planning import Planner, PlanSettings  # noqa: E402

PERIOD_S = 300.0
DAY = 288
VOLTS = 208.0
CAR_W = 6600.0
PODS = {
    "cc": {"CA-322", "CA-493", "CA-496", "CA-320", "CA-495", "CA-321", "CA-323", "CA-494"},
    "av": {"CA-324", "CA-325", "CA-326", "CA-327", "CA-489", "CA-490", "CA-491", "CA-492"},
}
LINES = {30: (Phase.L1, Phase.L2), -90: (Phase.L2, Phase.L3), 150: (Phase.L3, Phase.L1)}


def caltech(network: Any, capacity_kw: float) -> Site:
    """The Caltech garage as our own model: delta chargers under a delta-star transformer, two pods."""
    below, above = (capacity_kw * 1e3 / 3 / volts for volts in (120, 277))
    nodes = (
        Node(id="grid", parent_id=None, kind=NodeKind.GRID, limit_w=1e9),
        Node(
            id="transformer",
            parent_id="grid",
            kind=NodeKind.TRANSFORMER,
            limit_a=(below, below, below),
            transformer=Transformer(4 / 3**0.5, (above, above, above)),
        ),
        *(Node(id=pod, parent_id="transformer", limit_a=(80.0, 80.0, 80.0)) for pod in PODS),
    )
    evses = []
    for number, name in enumerate(network.station_ids):
        real = network._EVSEs[name]
        pod = next((pod for pod, members in PODS.items() if name in members), "transformer")
        steps = () if real.is_continuous else tuple(float(a) for a in real.allowable_pilot_signals if a > 0)
        evses.append(
            Evse(
                id=name,
                node_id=pod,
                lines=LINES[int(network._phase_angles[number])],
                connection=Connection.DELTA,
                voltage_v=VOLTS,
                max_a=float(real.max_rate),
                min_a=0.05 if real.is_continuous else 6.0,
                steps_a=steps,
            )
        )
    return Site(
        id="caltech", nodes=nodes, evses=tuple(evses), offline=OfflineRule(share=0.0), voltage_v=277.0
    )


class Pilotwire(BaseAlgorithm):  # type: ignore[misc]
    """Plan every period, then balance until all has settled, as the server does every few seconds."""

    def __init__(self, network: Any, capacity_kw: float, leaves: Callable[[Any, float], float]) -> None:
        super().__init__()
        self.max_recompute = 1
        settings = BalanceSettings(
            min_on_s=600.0, min_off_s=0.0, beyond_plan=True, still_a=0.0, still_share=0.0
        )
        self.balancer = Balancer.of(caltech(network, capacity_kw), settings)
        self.state = self.balancer.start()
        self.planner = Planner(self.balancer.network, PlanSettings(favour_small=0.05))
        self.leaves = leaves
        self.given: dict[str, float] = {}
        self.cpu_s = 0.0

    def schedule(self, active_sessions: list[Any]) -> dict[str, list[float]]:
        """Give every active session its pilot for this period."""
        if not active_sessions:
            return {}
        begin = time.process_time()
        now = self.interface.current_time * PERIOD_S
        cars = tuple(
            Car(
                session_id=session.session_id,
                evse_id=session.station_id,
                connected_s=session.arrival * PERIOD_S,
                energy_wh=session.remaining_demand * 1e3,
                departs_s=self.leaves(session, now),
                max_a=CAR_W / VOLTS,
            )
            for session in active_sessions
        )
        request = PlanRequest(at_s=now, cars=cars)
        wishes = wishes_of(self.balancer.network, self.planner.solve(request), request, now)
        given = self.given
        for turn in range(4):
            moment = Moment(at_s=now + 10 * turn, cars=cars, planned_a=wishes, may_draw_a=given)
            self.state, balance = self.balancer.step(self.state, moment)
            found = {allocation.evse_id: allocation.limit_a for allocation in balance.allocations}
            if found == given:
                break
            given = found
        self.given = given
        self.cpu_s += time.process_time() - begin
        return {car.evse_id: [given[car.evse_id]] for car in cars}


def sessions_of(data: Path, begin: str, days: int) -> list[EV]:
    """The sessions of some days as acnportal's cars, times in periods since the first midnight."""
    if begin.startswith("2019-03"):
        path = data / "acn" / "caltech_201903_acnsim_events.json.gz"
        queue = acnsim.EventQueue.from_json(json.loads(gzip.decompress(path.read_bytes())))
        first = (int(begin[8:]) - 1) * DAY
        found = []
        for moment, event in sorted(queue.queue, key=lambda pair: pair[0]):
            if first <= moment < first + days * DAY:
                old = event.ev
                found.append(
                    _car(
                        old.arrival - first,
                        old.departure - first,
                        old.requested_energy,
                        old.station_id,
                        old.session_id,
                        None,
                    )
                )
        return found
    midnight = datetime.fromisoformat(begin + "T00:00:00-07:00")
    found = []
    for row in _rows(data):
        arrival, departure = (datetime.fromisoformat(row[name]) for name in ("arrival", "departure"))
        if not midnight <= arrival < midnight + timedelta(days=days):
            continue
        start = int((arrival - midnight).total_seconds() // PERIOD_S)
        end = max(start + 1, int((departure - midnight).total_seconds() // PERIOD_S))
        declared = row["estimated_departure"]
        said = None
        if declared:
            said = max(
                start + 1, int((datetime.fromisoformat(declared) - midnight).total_seconds() // PERIOD_S)
            )
        found.append(
            _car(start, end, float(row["delivered_energy (kWh)"]), row["station_id"], row["session_id"], said)
        )
    return _without_overlap(found)


def _car(start: int, end: int, kwh: float, station: str, session: str, said: int | None) -> EV:
    return EV(start, end, kwh, station, session, Battery(kwh, 0, CAR_W / 1e3), estimated_departure=said)


def _rows(data: Path) -> list[dict[str, str]]:
    text = gzip.decompress((data / "acn" / "caltech_2019-05-01_2019-08-31.csv.gz").read_bytes()).decode()
    return [row for row in csv.DictReader(io.StringIO(text)) if row["arrival"] and row["departure"]]


def _without_overlap(cars: list[EV]) -> list[EV]:
    """A later session at the same place waits for the earlier one's period to end; one that vanishes so is left out."""
    free: dict[str, int] = {}
    kept = []
    for car in sorted(cars, key=lambda one: (one.arrival, one.departure)):
        if free.get(car.station_id, 0) > car.arrival:
            car.arrival = free[car.station_id]
        if car.departure > car.arrival and car.requested_energy > 0:
            car._estimated_departure = max(car.arrival + 1, car._estimated_departure)
            free[car.station_id] = car.departure
            kept.append(car)
    return kept


def forecast_of(data: Path, begin: str, share: float) -> Callable[[Any, float], float]:
    """A departure that so many of earlier cars of the same hour, which stayed this long, had not reached: a low quantile."""
    midnight = datetime.fromisoformat(begin + "T00:00:00-07:00")
    stays: dict[int, list[float]] = {}
    for row in _rows(data):
        arrival, departure = (datetime.fromisoformat(row[name]) for name in ("arrival", "departure"))
        if departure < midnight:
            stays.setdefault(arrival.hour, []).append((departure - arrival).total_seconds())

    def leaves(session: Any, now: float) -> float:
        hour = int(session.arrival * PERIOD_S // 3600) % 24
        stayed = now - session.arrival * PERIOD_S
        near = [s for h in (-1, 0, 1) for s in stays.get((hour + h) % 24, []) if s > stayed + PERIOD_S]
        until = float(np.quantile(near, share)) if len(near) >= 5 else stayed + 1800.0
        return float(session.arrival * PERIOD_S + until)

    return leaves


def clairvoyant(network: Any, cars: list[EV]) -> float:
    """The most energy (%) that anybody could deliver who knows all sessions beforehand, continuous pilots.

    The true phasor limits are relaxed to polygons around them, so no schedule can do better: an upper bound.
    """
    matrix, angles = network.constraint_matrix, np.deg2rad(network._phase_angles)
    index = {name: number for number, name in enumerate(network.station_ids)}
    columns = [
        (number, step) for number, car in enumerate(cars) for step in range(car.arrival, car.departure)
    ]
    owner = np.array([number for number, _ in columns])
    step = np.array([when for _, when in columns])
    station = np.array([index[cars[number].station_id] for number in owner])
    last = int(step.max()) + 1
    rows, cols, values, high = [], [], [], []
    count = 0
    for limit in range(len(network.magnitudes)):
        vector = matrix[limit] * np.exp(1j * angles)
        on = np.flatnonzero(np.abs(vector[station]) > 0)
        spread = len({round(float(np.angle(v)), 4) for v in vector[np.abs(vector) > 0]}) > 1
        for turn in (
            np.arange(0, 360, 10.0) if spread else [float(np.rad2deg(np.angle(vector[station[on[0]]])))]
        ):
            part = (vector[station[on]] * np.exp(-1j * np.deg2rad(turn))).real
            reach = np.bincount(step[on], np.maximum(part, 0) * 32.0, last)
            busy = np.flatnonzero(reach > network.magnitudes[limit])
            place = np.full(last, -1)
            place[busy] = count + np.arange(len(busy))
            keep = place[step[on]] >= 0
            rows.append(place[step[on]][keep])
            cols.append(on[keep])
            values.append(part[keep])
            high.append(np.full(len(busy), network.magnitudes[limit]))
            count += len(busy)
    rows.append(count + owner)
    cols.append(np.arange(len(columns)))
    values.append(np.full(len(columns), VOLTS / 1e3 / 12))
    high.append(np.array([car.requested_energy for car in cars]))
    row, col, value = np.concatenate(rows), np.concatenate(cols), np.concatenate(values)
    order = np.lexsort((row, col))
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, setting in (
        ("output_flag", False),
        ("threads", 1),
        ("solver", "ipm"),
        ("run_crossover", "off"),
    ):
        solver.setOptionValue(name, setting)
    total = count + len(cars)
    solver.passModel(
        len(columns), total, len(row), 1, -1, 0.0, np.full(len(columns), VOLTS / 1e3 / 12), np.zeros(len(columns)),
        np.full(len(columns), CAR_W / VOLTS), np.full(total, -highspy.kHighsInf), np.concatenate(high),
        np.searchsorted(col[order], np.arange(len(columns) + 1)).astype(np.int32), row[order].astype(np.int32),
        value[order].astype(float), np.zeros(len(columns), np.int32),
    )  # fmt: skip
    solver.run()
    return float(solver.getInfo().objective_function_value / sum(car.requested_energy for car in cars) * 100)


def algorithm_of(name: str, network: Any, capacity_kw: float, options: dict[str, Any]) -> Any:
    """The algorithm to run: acnportal's own, or ours."""
    if name == "round robin":
        return RoundRobin(first_come_first_served, continuous_inc=1)
    if name == "EDF":
        return SortedSchedulingAlgo(earliest_deadline_first)
    if name == "LLF":
        return SortedSchedulingAlgo(least_laxity_first)
    leaves: dict[str, Callable[[Any, float], float]] = {
        "true": lambda session, _: session.departure * PERIOD_S,
        "declared": lambda session, now: max(session.estimated_departure * PERIOD_S, now + 1800.0),
    }
    if options["departures"] == "forecast":
        leaves["forecast"] = forecast_of(Path(options["data"]), options["begin"], 0.3)
    return Pilotwire(network, capacity_kw, leaves[options["departures"]])


def run(options: dict[str, Any]) -> dict[str, Any]:
    """One algorithm through one week; every figure is computed from acnportal's own records."""
    network = acnsim.sites.caltech_acn(basic_evse=not options["quantised"], transformer_cap=options["kw"])
    cars = sessions_of(Path(options["data"]), options["begin"], options["days"])
    cars = [car for car in cars if car.station_id in network.station_ids]
    begin = time.process_time()
    if options["algorithm"] == "optimum":
        energy = clairvoyant(network, cars)
        return {**options, "sessions": len(cars), "energy": energy, "cpu_s": time.process_time() - begin}
    queue = acnsim.EventQueue([acnsim.PluginEvent(car.arrival, car) for car in cars])
    algorithm = algorithm_of(options["algorithm"], network, options["kw"], options)
    start = datetime.fromisoformat(options["begin"])
    sim = acnsim.Simulator(network, algorithm, queue, start, period=5, verbose=False)
    sim.run()
    cpu = time.process_time() - begin
    index = {name: number for number, name in enumerate(network.station_ids)}
    drawing = [
        sim.charging_rates[index[c.station_id], c.arrival : c.departure] > 0.01
        for c in sim.ev_history.values()
    ]
    excess = max(
        float((np.abs(network.constraint_current(amps)) - network.magnitudes[:, None]).max())
        for amps in (sim.charging_rates, sim.pilot_signals)
    )
    tariff = TimeOfUseTariff("sce_tou_ev_4_march_2019")
    return {
        **options,
        "sessions": len(cars),
        "energy": acnsim.proportion_of_energy_delivered(sim) * 100,
        "met": acnsim.proportion_of_demands_met(sim) * 100,
        "peak_kw": float(acnsim.aggregate_power(sim).max()),
        "cost": acnsim.energy_cost(sim, tariff),
        "cost_per_kwh": acnsim.energy_cost(sim, tariff) / acnsim.total_energy_delivered(sim),
        "demand_charge": acnsim.demand_charge(sim, tariff),
        "starts": float(np.mean([int(on[0]) + int((on[1:] & ~on[:-1]).sum()) for on in drawing])),
        "violation_a": max(0.0, excess),
        "cpu_s": cpu,
        "own_cpu_s": getattr(algorithm, "cpu_s", None),
    }


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
