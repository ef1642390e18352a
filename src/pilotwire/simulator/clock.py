"""Two clocks: what a station writes on its messages, and the time by which people and batteries live.

How acceleration works, and why so. A server must be able to trust every figure: that the register grows by
power times time, that timestamps are near its own clock. So nothing on the wire is stretched: timestamps
are real UTC, powers and currents are true, and the register is the integral of the power over real seconds.
What is accelerated is life: with `speed` 60 a battery is a sixtieth of its size (it fills 60 times sooner
and takes a sixtieth of the energy), drivers stay a sixtieth of the time and arrive 60 times as often,
faults and outages likewise. Intervals that the server sets (heartbeat, meter sampling) stay real seconds.
With `speed` 1, the default, nothing is scaled.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta


class SimClock:
    """The time on the wire (`now`) and the time of life (`life_now`), which runs `speed` times as fast."""

    __slots__ = ("_begun", "_life_begun", "speed")

    def __init__(self, speed: float = 1.0, life_begins_at: datetime | None = None) -> None:
        if not speed > 0:
            raise ValueError("speed must be positive")
        self.speed = speed
        self._begun = time.monotonic()
        self._life_begun = life_begins_at or datetime.now(UTC)

    def now(self) -> datetime:
        """Real UTC: what stations write on their messages."""
        return datetime.now(UTC)

    def life_now(self) -> datetime:
        """The moment in people's lives: the hour of the day that arrivals follow."""
        return self._life_begun + timedelta(seconds=(time.monotonic() - self._begun) * self.speed)

    def real_s(self, life_s: float) -> float:
        """How many real seconds a span of life takes."""
        return life_s / self.speed

    async def sleep_life(self, life_s: float) -> None:
        """Sleep for a span of life."""
        await asyncio.sleep(self.real_s(max(0.0, life_s)))
