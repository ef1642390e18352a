"""How time passes at the EVSEs of a station: physics, periodic samples, clock-aligned samples."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pilotwire.simulator.states import Trigger

if TYPE_CHECKING:
    from pilotwire.simulator.evse import Evse
    from pilotwire.simulator.station import Station


class Ticker:
    """Sleeps while nothing charges; a thousand idle stations cost nothing."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._awake = asyncio.Event()
        self._stepped_at: float | None = None
        self._due: dict[int, float] = {}
        self._aligned_slot: int | None = None

    def wake(self) -> None:
        """Something may be due: a car, a new setting."""
        self._awake.set()

    def advance(self) -> None:
        """Let the time since the last look pass at every EVSE."""
        now = asyncio.get_running_loop().time()
        before, self._stepped_at = self._stepped_at, now
        if before is not None and now > before:
            for evse in self._station.evses:
                evse.step(now - before)

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            if not self._busy():
                self._awake.clear()
                self._aligned_slot = None
                await self._awake.wait()
                self.advance()
            await asyncio.sleep(self._pause_s())
            self.advance()
            self._sample()

    def _busy(self) -> bool:
        if self._station.device.number("aligned_interval_s") > 0:
            return True
        return any(evse.active for evse in self._station.evses)

    def _pause_s(self) -> float:
        now = asyncio.get_running_loop().time()
        next_due = min(self._due.values(), default=now + self._station.options.tick_s)
        return max(0.005, min(self._station.options.tick_s, next_due - now))

    def _sample(self) -> None:
        station = self._station
        now = asyncio.get_running_loop().time()
        interval_s = station.device.number("sample_interval_s")
        for evse in station.evses:
            if evse.tx is None or interval_s == 0:
                self._due.pop(evse.id, None)
                continue
            due = self._due.setdefault(evse.id, now + interval_s)
            if due > now + interval_s:
                self._due[evse.id] = now + interval_s
            elif now >= due:
                self._due[evse.id] = now + interval_s
                evse.sample("Sample.Periodic", Trigger.METER_PERIODIC)
        self._sample_aligned(station.device.number("aligned_interval_s"))

    def _sample_aligned(self, interval_s: int) -> None:
        """Spec: OCPP 1.6 4.7, OCPP 2.0.1 J01: at whole multiples of the interval since midnight."""
        if interval_s == 0:
            self._aligned_slot = None
            return
        now = self._station.now()
        slot = (now.hour * 3600 + now.minute * 60 + now.second) // interval_s
        before, self._aligned_slot = self._aligned_slot, slot
        if before is None or before == slot:
            return
        for evse in self._station.evses:
            self._report(evse)

    def _report(self, evse: Evse) -> None:
        if evse.tx is not None:
            evse.sample("Sample.Clock", Trigger.METER_CLOCK)
        else:
            station = self._station
            station.say(station.wire.meter(evse.id, evse.reading("Sample.Clock"), None))
