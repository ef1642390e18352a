"""What stands at a site besides stations: other loads, a solar roof, a battery, and the meters that see it all.

Physics for the demo: the meter at the grid connection sees the true currents of every car on its true phase.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pilotwire.simulator.model import MAINS_VOLTAGE_V
from pilotwire.simulator.storage import Storage

if TYPE_CHECKING:
    from pilotwire.simulator.clock import SimClock
    from pilotwire.simulator.network import Network

PLANT_STEP_S = 2.0
"""Real seconds between two readings of the meters."""
_DC_EFFICIENCY = 0.94


@dataclass(frozen=True, slots=True)
class PlantSpec:
    """A site's loads and assets. Units: W, Wh.

    `rotations` says by station and EVSE on which phases of the site its own lie: RST as drawn. A battery that is told
    nothing takes what the sun leaves over, and gives when the grid would have to give more than `import_above_w`. Sun and
    other loads go by the clock, also where life goes faster: forecasts could not be made of them otherwise.
    """

    site_id: str
    base_w: float
    solar_peak_w: float
    battery_wh: float
    battery_w: float
    import_above_w: float
    rotations: Mapping[tuple[str, int], str] = field(default_factory=dict)
    soc_percent: float = 55.0
    time_zone: str = "UTC"
    storage_port: int = 0
    """A port of this machine on which the battery speaks Modbus TCP; 0: it cannot be told anything."""


@dataclass(frozen=True, slots=True)
class PlantReading:
    """What the meters of a site read. The grid's is positive when bought; the sun's and the battery's when they give."""

    grid_current_a: tuple[float, float, float]
    grid_w: float
    solar_w: float
    battery_w: float
    soc_percent: float


OnPlant = Callable[[str, PlantReading], None]


def usual_base_w(spec: PlantSpec, at: datetime, drift: float = 0.0) -> float:
    """Other loads at a moment: more by day, less at weekends; `drift` is what is unusual now."""
    local = at.astimezone(ZoneInfo(spec.time_zone))
    hour = local.hour + local.minute / 60
    day = 1.0 + 0.35 * math.sin((hour - 7) / 24 * 2 * math.pi)
    return spec.base_w * max(0.2, day * (0.6 if local.weekday() >= 5 else 1.0) + drift)


def clear_solar_w(spec: PlantSpec, at: datetime) -> float:
    """What the roof gives under a clear sky."""
    local = at.astimezone(ZoneInfo(spec.time_zone))
    height = math.sin((local.hour + local.minute / 60 - 5.5) / 15 * math.pi)
    return spec.solar_peak_w * max(0.0, height)


class Plant:
    """One site's loads, roof and battery, moved through time."""

    def __init__(self, spec: PlantSpec, network: Network, clock: SimClock, seed: int) -> None:
        self.spec = spec
        self.storage = Storage(spec.battery_wh, spec.battery_w, soc_percent=spec.soc_percent)
        self._network = network
        self._clock = clock
        self._rng = random.Random(f"plant/{spec.site_id}/{seed}")  # noqa: S311 - a simulation
        self._cloud = 0.85
        self._drift = 0.0

    def step(self, dt_s: float) -> PlantReading:
        """Move on by some real seconds and read the meters."""
        cars = self.car_currents_a()
        base_w, solar_w = self._base_w(), self._solar_w()
        wanted_w = sum(cars) * MAINS_VOLTAGE_V + base_w - solar_w
        battery_w = self._battery_w(wanted_w, dt_s)
        rest = (base_w - solar_w - battery_w) / 3
        # Other loads are never quite even over the phases.
        uneven = (1.08, 0.97, 0.95)
        currents = tuple(
            cars[line] + (rest + base_w / 3 * (uneven[line] - 1)) / MAINS_VOLTAGE_V for line in range(3)
        )
        return PlantReading(
            (currents[0], currents[1], currents[2]),
            sum(currents) * MAINS_VOLTAGE_V,
            solar_w,
            battery_w,
            self.storage.soc_percent,
        )

    def car_currents_a(self) -> list[float]:
        """The currents of all cars on the phases of the site."""
        total = [0.0, 0.0, 0.0]
        for identity, station in self._network.stations.items():
            for evse in station.evses:
                rotation = self.spec.rotations.get((identity, evse.spec.id))
                if rotation is None:
                    continue
                if evse.spec.current == "DC":
                    each = evse.flow.power_w / _DC_EFFICIENCY / (3 * MAINS_VOLTAGE_V)
                    total = [current + each for current in total]
                    continue
                for own, current in enumerate(evse.flow.currents_a):
                    total["RST".index(rotation[own])] += current
        return total

    def _base_w(self) -> float:
        self._drift += self._rng.uniform(-0.02, 0.02) - 0.05 * self._drift
        return usual_base_w(self.spec, self._clock.now(), self._drift)

    def _solar_w(self) -> float:
        self._cloud = min(1.0, max(0.25, self._cloud + self._rng.uniform(-0.05, 0.05)))
        return clear_solar_w(self.spec, self._clock.now()) * self._cloud

    def _battery_w(self, wanted_w: float, dt_s: float) -> float:
        """Let the battery do what it was told, or by itself: take what the sun leaves, cut what is above a threshold."""
        spec = self.spec
        if not spec.battery_wh:
            return 0.0
        otherwise_w = 0.0
        if wanted_w < 0:
            otherwise_w = wanted_w
        elif wanted_w > spec.import_above_w:
            otherwise_w = wanted_w - spec.import_above_w
        return self.storage.step(dt_s, otherwise_w, speed=self._clock.speed)
