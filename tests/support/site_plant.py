"""What flows through the connection of a site in tests: cars as they are, other loads, a roof, a battery, and its meter."""

import asyncio
import time
from collections import deque
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
from tests.support.operations import eventually

__all__ = ["SitePlant", "plant_at", "site_plant"]

_STEP_S = 0.1
_TELL_S = 0.3
_NOTE_S = 1.0


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
    tell_s: float = _TELL_S
    now_a: tuple[float, float, float] = (0.0, 0.0, 0.0)
    peak_a: float = 0.0
    longest_over_s: float = 0.0
    late_s: float = 0.0
    """By how much this machine was late to look while the fuse bore too much."""
    fits_since: float | None = None
    """Since when it has borne no more than it may, None while it does."""
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=90))
    """What flowed, second by second, for people who ask why a test failed."""
    _over_since: float | None = field(default=None)

    def disturb(self, *, base_a: float | None = None, solar_a: float | None = None) -> None:
        """Change what is not a charger, and count anew for how long the fuse bears too much."""
        self.base_a = self.base_a if base_a is None else base_a
        self.solar_a = self.solar_a if solar_a is None else solar_a
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self.peak_a, self.longest_over_s, self.late_s = 0.0, 0.0, 0.0
        self._over_since = self.fits_since = None

    def check(self, promised_s: float = 10.0) -> None:
        """Fail if the fuse has borne too much for longer than promised, as far as this machine looked in time."""
        story = "\n".join(self.notes)
        assert self.longest_over_s <= promised_s + self.late_s, (
            f"above {self.fuse_a} A for {self.longest_over_s:.1f} s, late {self.late_s:.1f} s\n{story}"
        )

    async def settled(self, stay_s: float = 5.0, patience_s: float = 60.0) -> None:
        """Wait until the fuse has borne no more than it may for a while."""

        def stays() -> bool:
            return self.fits_since is not None and time.monotonic() - self.fits_since >= stay_s

        try:
            await eventually(stays, patience_s, _STEP_S)
        except TimeoutError:
            raise AssertionError("the fuse goes on bearing too much\n" + "\n".join(self.notes)) from None

    async def run(self) -> None:
        """Let currents flow and the meter speak, until cancelled."""
        speaking = asyncio.create_task(self._speak())
        try:
            await self._flow(speaking)
        finally:
            speaking.cancel()
            with suppress(asyncio.CancelledError):
                await speaking

    async def _flow(self, speaking: "asyncio.Task[None]") -> None:
        looked_at, noted_at = time.monotonic(), 0.0
        while not speaking.done():
            battery_a = 0.0
            if self.storage is not None:
                battery_a = self.storage.step(_STEP_S) / 690.0
            rest = self.base_a - self.solar_a - battery_a
            l1, l2, l3 = (each + rest for each in self.drawn())
            self.now_a = (l1, l2, l3)
            now, most = time.monotonic(), max(abs(each) for each in self.now_a)
            late_s, looked_at = max(0.0, now - looked_at - 2 * _STEP_S), now
            self.peak_a = max(self.peak_a, most)
            if most <= self.fuse_a * 1.005 + 0.05:
                self._over_since, self.fits_since = None, self.fits_since or now
            else:
                self._over_since, self.fits_since = self._over_since or now, None
                self.late_s += late_s
                self.longest_over_s = max(self.longest_over_s, now - self._over_since)
            if now - noted_at >= _NOTE_S:
                noted_at = now
                self.notes.append(f"{now:.1f} s: {most:.1f} A, of which {rest:.1f} A are not cars")
            await asyncio.sleep(_STEP_S)

    async def _speak(self) -> None:
        while True:
            if self.meter_speaks:
                await self.tell(self.now_a)
            await asyncio.sleep(self.tell_s)


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
