"""A year of nights at real day-ahead prices: what charging costs without control, with ours, and at the least possible.

A car park behind one fuse; drivers come in the evening and leave in the morning. Ours plans as the server does, with the
prices that are published by then and the cars that are there, and the safety loop has the last word. The optimum knows
all cars and prices of a night beforehand, charges any current and needs no 6 A: nobody can pay less.
"""

import csv
import gzip
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pilotwire.domain.energy.balancing import Balancer, BalanceSettings
from pilotwire.domain.energy.exchange import Car, Moment, PlanRequest, Series
from pilotwire.domain.energy.model import Contract, Evse, Node, NodeKind, OfflineRule, PriceWindow, Site
from pilotwire.domain.energy.pilots import wishes_of
from pilotwire.domain.energy.planning import Planner
from pilotwire.domain.energy.program import Blocks, Figures, Solver

CARS = 8
FUSE_A = 40.0
CAR_A = 16.0
WATTS_PER_AMP = 690.0
TURN_S = 1800.0
EVENING_S, TURNS = 15 * 3600.0, 42
PUBLISHED_H = 12
HOUR_S = 3600.0


@dataclass(frozen=True)
class Visit:
    """One car of a night: its place, when it comes and leaves (moments, on full turns) and what it wants."""

    place: int
    comes_s: float
    leaves_s: float
    energy_wh: float


def prices_of(directory: Path, year: int) -> dict[float, float]:
    """Read the hourly prices of a year and the day after it, by moment, in EUR/kWh. The file mixes two formats of dates."""
    found = {}
    text = gzip.decompress((directory / "nl_dayahead_2015_2024.csv.gz").read_bytes()).decode()
    for row in csv.DictReader(io.StringIO(text)):
        said = row["Datetime (UTC)"]
        if not said:
            continue
        form = "%d/%m/%Y %H:%M" if "/" in said else "%Y-%m-%d %H:%M:%S"
        moment = datetime.strptime(said, form).replace(tzinfo=UTC)
        if (moment + timedelta(days=1)).year == year or (moment - timedelta(days=2)).year == year:
            found[moment.timestamp()] = float(row["Price (EUR/MWhe)"]) / 1e3
    for hour in np.arange(min(found), max(found), HOUR_S).tolist():  # a few hours are not in the file
        found.setdefault(hour, found.get(hour - HOUR_S, 0.0))
    return found


def visits_of(midnight_s: float, dice: np.random.Generator) -> list[Visit]:
    """The cars of one night: most places are taken between four and nine in the evening, left from five to nine."""
    found = []
    for place in range(CARS):
        if dice.random() < 0.15:
            continue
        comes = np.clip(dice.normal(18.0, 1.5), 15.5, 23.0) * HOUR_S
        leaves = np.clip(dice.normal(31.0, 1.0), 29.0, 34.0) * HOUR_S
        energy = float(np.clip(dice.gamma(3.0, 6e3), 2e3, 60e3))
        comes, leaves = np.ceil(comes / TURN_S) * TURN_S, np.floor(leaves / TURN_S) * TURN_S
        found.append(Visit(place, midnight_s + float(comes), midnight_s + float(leaves), energy))
    return found


def garage() -> Site:
    """Eight places of 11 kW behind a fuse that bears two and a half of them."""
    grid = Node(id="grid", parent_id=None, kind=NodeKind.GRID, limit_a=(FUSE_A, FUSE_A, FUSE_A))
    evses = tuple(Evse(id=f"e{place}", node_id="grid", max_a=CAR_A) for place in range(CARS))
    # A price that changes within the contract makes the connection part of the plan from the first night on.
    contract = Contract(windows=(PriceWindow(0.0, 1.0, 0.0),))
    return Site(id="garage", nodes=(grid,), evses=evses, contract=contract, offline=OfflineRule(share=0.0))


class Night:
    """One night, played with one way of charging."""

    def __init__(self, visits: list[Visit], prices: Mapping[float, float], begin_s: float) -> None:
        self.visits, self.prices, self.begin_s = visits, prices, begin_s
        self.given_wh = np.zeros(len(visits))
        self.cost = 0.0

    def draw(self, now_s: float, limits_a: Mapping[int, float]) -> None:
        """Let cars draw what they may for one turn; the fuse is checked by adding up."""
        total = 0.0
        for number, visit in enumerate(self.visits):
            limit = min(limits_a.get(number, 0.0), CAR_A)
            if limit <= 0 or not visit.comes_s <= now_s < visit.leaves_s:
                continue
            total += limit
            most = limit * WATTS_PER_AMP * TURN_S / HOUR_S
            energy = min(most, visit.energy_wh - self.given_wh[number])
            self.given_wh[number] += energy
            self.cost += energy / 1e3 * self.prices[now_s // HOUR_S * HOUR_S]
        if total > FUSE_A + 1e-6:
            raise RuntimeError(f"the fuse carries {total} A")

    @property
    def missing_wh(self) -> float:
        """What cars left without."""
        return float(sum(visit.energy_wh for visit in self.visits) - self.given_wh.sum())


def uncontrolled(night: Night) -> None:
    """All that are there share the fuse evenly, at once: what a garage does whose stations only share."""
    for turn in range(TURNS):
        now_s = night.begin_s + turn * TURN_S
        here = [
            number
            for number, visit in enumerate(night.visits)
            if visit.comes_s <= now_s < visit.leaves_s and visit.energy_wh - night.given_wh[number] > 1.0
        ]
        here = here[: int(FUSE_A // 6.0)]
        night.draw(now_s, dict.fromkeys(here, FUSE_A / max(1, len(here))))


def ours(night: Night, balancer: Balancer, planner: Planner) -> None:
    """Plan every turn with what is known by then, then let the safety loop decide until it has settled."""
    state = balancer.start()
    for turn in range(TURNS):
        now_s = night.begin_s + turn * TURN_S
        here = {
            visit.place: number
            for number, visit in enumerate(night.visits)
            if visit.comes_s <= now_s < visit.leaves_s
        }
        cars = tuple(
            Car(
                session_id=f"{night.begin_s:.0f}-{number}",
                evse_id=f"e{place}",
                connected_s=night.visits[number].comes_s,
                energy_wh=max(0.0, night.visits[number].energy_wh - night.given_wh[number]),
                departs_s=night.visits[number].leaves_s,
                wants_power=night.visits[number].energy_wh - night.given_wh[number] > 1.0,
            )
            for place, number in here.items()
        )
        request = PlanRequest(at_s=now_s, cars=cars, prices=known_at(night.prices, now_s))
        wishes = wishes_of(balancer.network, planner.solve(request), request, now_s)
        given: dict[str, float] = {}
        for settle in range(4):
            moment = Moment(at_s=now_s + 10 * settle, cars=cars, planned_a=wishes, may_draw_a=given)
            state, balance = balancer.step(state, moment)
            found = {each.evse_id: each.limit_a for each in balance.allocations}
            if found == given:
                break
            given = found
        night.draw(now_s, {number: given[f"e{place}"] for place, number in here.items()})


def known_at(prices: Mapping[float, float], now_s: float) -> Series:
    """The prices that are published: those of tomorrow (UTC) too from noon on."""
    since_s = now_s // HOUR_S * HOUR_S
    midnight_s = now_s // 86400.0 * 86400.0
    until_s = midnight_s + (2 if now_s - midnight_s >= PUBLISHED_H * HOUR_S else 1) * 86400.0
    hours = np.arange(since_s, until_s, HOUR_S).tolist()
    return Series(since_s, HOUR_S, tuple(prices[hour] for hour in hours))


def optimum(night: Night) -> None:
    """The cheapest way to give what can be given, by one linear program that knows the whole night."""
    blocks, hours = Blocks(), TURN_S / HOUR_S
    starts_s = night.begin_s + TURN_S * np.arange(TURNS)
    columns, energy = blocks.add_columns(len(night.visits), TURNS), blocks.add_rows(len(night.visits))
    fuse = blocks.add_rows(TURNS)
    blocks.add(energy[:, None], columns, 1.0)
    blocks.add(fuse, columns, 1.0)
    figures = Figures.of(blocks.columns, blocks.rows)
    price = np.array([night.prices[moment // HOUR_S * HOUR_S] for moment in starts_s.tolist()])
    figures.cost[columns] = price - 10.0
    for number, visit in enumerate(night.visits):
        there = (starts_s >= visit.comes_s) & (starts_s < visit.leaves_s)
        figures.high[columns[number]] = np.where(there, CAR_A * WATTS_PER_AMP / 1e3 * hours, 0.0)
    figures.row_high[energy] = [visit.energy_wh / 1e3 for visit in night.visits]
    figures.row_high[fuse] = FUSE_A * WATTS_PER_AMP / 1e3 * hours
    solver = Solver()
    solver.load(blocks.entries(), figures)
    values, optimal = solver.solve()
    if not optimal:
        raise RuntimeError("no optimum was found")
    night.given_wh = values[columns].sum(axis=1) * 1e3
    night.cost = float((values[columns] * price).sum())


def measure_prices(directory: Path, year: int, every: int) -> tuple[list[dict[str, Any]], int]:
    """Play every so many nights of a year in all three ways; print and return what they cost."""
    prices = prices_of(directory, year)
    site = garage()
    balancer = Balancer.of(site, BalanceSettings(min_on_s=0.0, min_off_s=0.0))
    planner = Planner(balancer.network)
    first = datetime(year, 1, 1, tzinfo=UTC).timestamp()
    ways = {"uncontrolled": [0.0, 0.0, 0.0], "pilotwire": [0.0, 0.0, 0.0], "optimum": [0.0, 0.0, 0.0]}
    nights = range(0, 365, every)
    for day in nights:
        midnight_s = first + day * 86400.0
        visits = visits_of(midnight_s, np.random.default_rng(day))
        for name, total in ways.items():
            night = Night(visits, prices, midnight_s + EVENING_S)
            begin = time.process_time()
            if name == "uncontrolled":
                uncontrolled(night)
            elif name == "pilotwire":
                ours(night, balancer, planner)
            else:
                optimum(night)
            total[0] += night.cost
            total[1] += night.missing_wh / 1e3
            total[2] += time.process_time() - begin
    wanted = sum(
        v.energy_wh for d in nights for v in visits_of(first + d * 86400.0, np.random.default_rng(d))
    )
    print(
        f"{len(nights)} nights of {year}, {CARS} places, {wanted / 1e6:.1f} MWh, day-ahead prices without taxes"
    )
    print(f"{'':14s} {'EUR':>9s} {'EUR/MWh':>9s} {'missing kWh':>12s} {'CPU s':>7s}")
    rows: list[dict[str, Any]] = []
    for name, (cost, missing, cpu) in ways.items():
        per_mwh = cost / (wanted / 1e6 - missing / 1e3)
        rows.append(
            {"way": name, "year": year, "nights": len(nights), "wanted_mwh": wanted / 1e6, "cost": cost,
             "cost_per_mwh": per_mwh, "missing_kwh": missing, "cpu_s": cpu}
        )  # fmt: skip
        print(f"{name:14s} {cost:9.2f} {per_mwh:9.2f} {missing:12.2f} {cpu:7.1f}")
    saved, possible = (ways["uncontrolled"][0] - ways[name][0] for name in ("pilotwire", "optimum"))
    print(
        f"saved: {saved / ways['uncontrolled'][0]:.1%} of the cost, {saved / possible:.1%} of what could be saved"
    )
    served = ways["pilotwire"][1] <= ways["uncontrolled"][1] + 1.0
    return rows, 0 if saved >= 0.95 * possible and served else 1
