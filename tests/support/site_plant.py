"""What flows through the connection of a site in tests: cars as they are, other loads, a roof, a battery, and its meter."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from pilotwire.core.clock import utc_now
from pilotwire.domain.energy.events import Reading
from pilotwire.domain.energy.usecases.push_readings import push_readings
from pilotwire.domain.identity.model import system_principal
from pilotwire.simulator.storage import Storage
from tests.support.energy import EnergySite

__all__ = ["SitePlant", "plant_at", "site_plant"]

_STEP_S = 0.1
_TELL_S = 0.3


@dataclass
class SitePlant:
    """The true currents of a site, and how long each phase has been above its fuse."""

    drawn: Callable[[], list[float]]
    """What all cars draw, per phase."""
    tell: Callable[[tuple[float, float, float]], Awaitable[None]]
    """Brings a reading to the server."""
    fuse_a: float
    base_a: float = 0.0
    solar_a: float = 0.0
    storage: Storage | None = None
    meter_speaks: bool = True
    now_a: tuple[float, float, float] = (0.0, 0.0, 0.0)
    peak_a: float = 0.0
    longest_over_s: float = 0.0
    latest_s: float = 0.0
    """By how much this machine was late to look."""
    _over_since: float | None = field(default=None)

    def disturb(self, *, base_a: float | None = None, solar_a: float | None = None) -> None:
        """Change what is not a charger, and count anew for how long the fuse bears too much."""
        self.base_a = self.base_a if base_a is None else base_a
        self.solar_a = self.solar_a if solar_a is None else solar_a
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self.peak_a, self.longest_over_s, self.latest_s, self._over_since = 0.0, 0.0, 0.0, None

    async def run(self) -> None:
        told_at, looked_at = 0.0, time.monotonic()
        while True:
            battery_a = 0.0
            if self.storage is not None:
                battery_a = self.storage.step(_STEP_S) / 690.0
            rest = self.base_a - self.solar_a - battery_a
            l1, l2, l3 = (each + rest for each in self.drawn())
            self.now_a = (l1, l2, l3)
            now, most = time.monotonic(), max(abs(each) for each in self.now_a)
            self.latest_s, looked_at = max(self.latest_s, now - looked_at - _STEP_S), now
            self.peak_a = max(self.peak_a, most)
            if most <= self.fuse_a * 1.005 + 0.05:
                self._over_since = None
            else:
                self._over_since = self._over_since or now
                self.longest_over_s = max(self.longest_over_s, now - self._over_since)
            if self.meter_speaks and now - told_at >= _TELL_S:
                told_at = now
                await self.tell(self.now_a)
            await asyncio.sleep(_STEP_S)


def plant_at(site: EnergySite, fuse_a: float, *, base_a: float, storage: Storage | None = None) -> SitePlant:
    """Make the plant of a site in this process; its meter is called `main`."""
    edge = site.system.edge.edge

    async def tell(now_a: tuple[float, float, float]) -> None:
        readings = [Reading(utc_now(), now_a)]
        await push_readings(
            edge.database, edge.bus, utc_now, system_principal(), UUID(site.id), "main", readings
        )

    return SitePlant(site.drawn, tell, fuse_a, base_a=base_a, storage=storage)


@asynccontextmanager
async def site_plant(plant: SitePlant) -> AsyncIterator[SitePlant]:
    """Let it run."""
    running = asyncio.create_task(plant.run())
    try:
        yield plant
        if running.done():
            running.result()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
