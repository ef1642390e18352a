"""When cars come, which, how long they stay and how their drivers behave. Pure.

The live network and its past draw from the same habits.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pilotwire.simulator.car import Car, CarModel
from pilotwire.simulator.catalogue import pick_car
from pilotwire.simulator.model import EvseSpec, SiteKind, SiteSpec, TokenSpec


@dataclass(frozen=True, slots=True)
class Habits:
    """How people use a sort of site.

    Units: `per_day` arrivals at one EVSE on a working day; `hours` the share of each local hour (any scale);
    `stay_h` (shortest, usual, longest) of an AC stay; `soc` (lowest, usual, highest) at arrival in percent.
    """

    per_day: float
    weekend: float
    hours: tuple[float, ...]
    stay_h: tuple[float, float, float]
    soc: tuple[float, float, float]
    target_soc: float
    unplugs_when_full: float


HABITS: dict[SiteKind, Habits] = {
    "office": Habits(
        1.5,
        0.08,
        (0, 0, 0, 0, 0, 1, 5, 14, 18, 9, 4, 3, 5, 6, 3, 2, 2, 1, 1, 0, 0, 0, 0, 0),
        (1.5, 6.5, 9.5),
        (12, 45, 80),
        100,
        0.15,
    ),
    "public": Habits(
        3.2,
        1.15,
        (1, 0.5, 0.3, 0.2, 0.3, 1, 2, 5, 7, 8, 9, 9, 9, 8, 8, 9, 10, 11, 11, 9, 6, 4, 3, 2),
        (0.6, 2.2, 10.0),
        (10, 42, 80),
        100,
        0.35,
    ),
    "home": Habits(
        0.8,
        0.9,
        (1, 0.5, 0.2, 0.1, 0.1, 0.2, 0.5, 1, 1, 1, 1.5, 2, 2, 2, 3, 5, 8, 13, 15, 12, 8, 6, 4, 2),
        (4.0, 11.0, 15.0),
        (15, 50, 85),
        100,
        0.03,
    ),
    "fleet": Habits(
        1.1,
        0.35,
        (1, 0.5, 0.5, 0.5, 1, 1, 1, 1, 2, 2, 2, 4, 6, 4, 4, 9, 16, 16, 10, 5, 3, 2, 2, 1),
        (1.5, 9.0, 13.0),
        (10, 35, 70),
        100,
        0.05,
    ),
    "highway": Habits(
        9.0,
        1.3,
        (1.5, 1, 0.8, 0.7, 1, 2, 4, 6, 7, 9, 11, 12, 12, 11, 11, 11, 12, 12, 10, 8, 6, 4, 3, 2),
        (0.3, 0.8, 2.0),
        (6, 18, 45),
        80,
        0.8,
    ),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One car's stay.

    Units: life seconds from plugging in. `gives_up_s` is how long a driver stands at a reader that refuses.
    `leaves_when_full` unplugs some minutes after the target; others leave after `stay_s`, full or not.
    """

    car: CarModel
    soc_percent: float
    target_soc_percent: float
    phase_voltages_v: tuple[float, float, float]
    token: TokenSpec
    connector_id: int
    stay_s: float
    leaves_when_full: bool
    card_first: bool
    stops_with_card: bool
    gives_up_s: float = 60.0

    def make_car(self, scale: float = 1.0) -> Car:
        """The car as it arrives."""
        return Car(
            self.car,
            soc_percent=self.soc_percent,
            target_soc_percent=self.target_soc_percent,
            phase_voltages_v=self.phase_voltages_v,
            scale=scale,
        )


class Arrivals:
    """The arrivals at one EVSE: a Poisson process whose rate follows the local hour.

    Deterministic by its seed.
    """

    def __init__(
        self, seed: str, site: SiteSpec, evse: EvseSpec, tokens: Sequence[TokenSpec], *, busyness: float = 1.0
    ) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - a simulation
        self._habits = HABITS[site.kind]
        self._zone = ZoneInfo(site.time_zone)
        self._evse = evse
        # Most sites see the same people again and again; some guests come once.
        known = {"highway": 1.0, "public": 0.8}.get(site.kind, 0.35)
        regulars = random.Random(site.id)  # noqa: S311
        self._tokens = regulars.sample(list(tokens), max(1, int(len(tokens) * known)))
        total = sum(self._habits.hours)
        self._rates = tuple(busyness * self._habits.per_day * share / total for share in self._habits.hours)
        self._peak = max(self._rates) * max(1.0, self._habits.weekend)

    def rate_per_hour(self, at: datetime) -> float:
        """The expected number of arrivals in an hour like this one."""
        local = at.astimezone(self._zone)
        day = self._habits.weekend if local.weekday() >= 5 else 1.0
        return self._rates[local.hour] * day

    def next_after(self, at: datetime) -> datetime:
        """The next arrival, drawn by thinning a process of the peak rate."""
        while True:
            at += timedelta(hours=self._rng.expovariate(self._peak))
            if self._rng.random() * self._peak <= self.rate_per_hour(at):
                return at

    def likely_occupied(self, at: datetime, least: float = 0.0) -> bool:
        """Whether a car that came earlier is here when a simulation begins; at least with a probability."""
        low, usual, high = self._habits.stay_h
        stay_h = 0.6 if self._evse.current == "DC" else (low + usual + high) / 3
        steps = 8
        expected = sum(
            self.rate_per_hour(at - timedelta(hours=stay_h * (step + 0.5) / steps)) * stay_h / steps
            for step in range(steps)
        )
        return self._rng.random() < max(least, min(0.9, expected))

    def draw(self) -> Visit:
        """Who comes and what they want."""
        rng, habits, evse = self._rng, self._habits, self._evse
        model = pick_car(rng, evse.current)
        low, usual, high = habits.soc
        soc = rng.triangular(low, high, usual)
        is_dc = evse.current == "DC"
        target = min(100.0, rng.choice((80.0, 80.0, 85.0, 90.0)) if is_dc else habits.target_soc)
        if is_dc and soc > 65:
            soc = rng.triangular(low, 60, min(usual, 50))
        shortest, usual_h, longest = (0.25, 0.6, 1.5) if is_dc else habits.stay_h
        return Visit(
            car=model,
            soc_percent=round(soc, 1),
            target_soc_percent=target,
            phase_voltages_v=tuple(round(rng.gauss(231.0, 1.8), 1) for _ in range(3)),  # type: ignore[arg-type]
            token=rng.choice(self._tokens),
            connector_id=rng.choice([connector.id for connector in evse.connectors]),
            stay_s=rng.triangular(shortest, longest, usual_h) * 3600.0,
            leaves_when_full=rng.random() < (0.9 if is_dc else habits.unplugs_when_full),
            card_first=rng.random() < 0.4,
            stops_with_card=rng.random() < 0.7,
        )
