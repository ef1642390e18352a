"""Many stations in one process: each an asyncio task, with the people around it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pilotwire.simulator.arrivals import Arrivals
from pilotwire.simulator.clock import SimClock
from pilotwire.simulator.drivers import Mishaps, come_after_remote_start, keep_failing, keep_visiting
from pilotwire.simulator.link import Traffic
from pilotwire.simulator.model import NetworkSpec, SiteSpec, StationSpec
from pilotwire.simulator.station import Station, StationOptions

Notify = Callable[[str, str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How a network is run.

    Units: `connect_rate` stations per second at the start; `busyness` multiplies the arrivals.
    """

    station: StationOptions
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    registers_wh: Mapping[tuple[str, int], float] = field(default_factory=dict)
    mishaps: Mishaps = field(default_factory=Mishaps)
    seed: int = 1
    busyness: float = 1.0
    least_occupied: float | None = 0.0
    come_after_remote_start: bool = True
    connect_rate: float = 50.0


class Network:
    """The stations of a network: `run` lasts until cancelled; `finish` ends all sessions before."""

    def __init__(self, spec: NetworkSpec, options: NetworkOptions, clock: SimClock, notify: Notify) -> None:
        self.spec = spec
        self.options = options
        self.clock = clock
        self.traffic = Traffic()
        self.counts: Counter[str] = Counter()
        self.energy_wh = 0
        self._notify = notify
        self._people: list[asyncio.Task[None]] = []
        self._arrivals: dict[tuple[str, int], Arrivals] = {}
        self.stations: dict[str, Station] = {}
        for site in spec.sites:
            for station in site.stations:
                self.stations[station.identity] = self._build(site, station)

    @property
    def connected(self) -> int:
        """How many stations have a connection now."""
        return sum(1 for station in self.stations.values() if station.link.is_open)

    def registers(self) -> dict[tuple[str, int], float]:
        """The lifetime register of every EVSE, in Wh."""
        return {
            (identity, evse.id): evse.register_wh
            for identity, station in self.stations.items()
            for evse in station.evses
        }

    async def run(self) -> None:
        """Switch the stations on one after the other and let them live.

        Raises: ExceptionGroup when the simulator itself has a fault.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for site in self.spec.sites:
                    for spec in site.stations:
                        station = self.stations[spec.identity]
                        group.create_task(station.run(), name=spec.identity)
                        self._surround(station)
                        await asyncio.sleep(1.0 / self.options.connect_rate)
        finally:
            self._send_people_home()

    async def finish(self, patience_s: float) -> int:
        """Everybody leaves; wait until the server knows. Gives how many messages it did not take."""
        self._send_people_home()
        await asyncio.gather(*(station.finish(patience_s) for station in self.stations.values()))
        return sum(station.outbox.durable_count for station in self.stations.values())

    def _build(self, site: SiteSpec, spec: StationSpec) -> Station:
        options = self.options
        password = options.passwords.get(spec.identity, options.station.password)
        for evse in spec.evses:
            self._arrivals[spec.identity, evse.id] = Arrivals(
                f"{options.seed}/live/{spec.identity}/{evse.id}",
                site,
                evse,
                self.spec.tokens,
                busyness=max(options.busyness, 1e-6),
            )
        return Station(
            spec,
            replace(options.station, password=password),
            clock=self.clock,
            traffic=self.traffic,
            notify=self._heard,
            registers_wh={
                evse.id: options.registers_wh.get((spec.identity, evse.id), float(evse.register_wh))
                for evse in spec.evses
            },
        )

    def _surround(self, station: Station) -> None:
        identity, options = station.spec.identity, self.options
        rng = random.Random(f"{options.seed}/people/{identity}")  # noqa: S311 - a simulation
        if options.busyness > 0:
            for evse in station.evses:
                arrivals = self._arrivals[identity, evse.id]
                self._bring(
                    keep_visiting(station, evse, arrivals, rng, least_occupied=options.least_occupied)
                )
        self._bring(keep_failing(station, options.mishaps, rng))

    def _bring(self, person: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(person)
        self._people.append(task)
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        if task in self._people:
            self._people.remove(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a simulated person failed", "exception": error, "task": task}
            )

    def _send_people_home(self) -> None:
        for task in tuple(self._people):
            task.cancel()

    def _heard(self, kind: str, identity: str, detail: dict[str, Any]) -> None:
        self.counts[kind] += 1
        if kind == "session_ended":
            self.energy_wh += int(detail["energy_wh"])
        elif kind == "remote_start" and self.options.come_after_remote_start:
            station = self.stations[identity]
            evse = station.evses[detail["evse"] - 1]
            if evse.car is None:
                visit = self._arrivals[identity, evse.id].draw()
                rng = random.Random()  # noqa: S311 - a simulation
                self._bring(come_after_remote_start(station, evse, visit, rng))
        self._notify(kind, identity, detail)
