"""A site whose energy is managed, with simulated stations and cars, at a pace for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pilotwire.domain.energy.drive import Pace
from pilotwire.simulator.car import Car, CarModel
from pilotwire.simulator.clock import SimClock
from pilotwire.simulator.link import Traffic
from pilotwire.simulator.model import OcppVersion
from pilotwire.simulator.station import Station, StationOptions
from tests.support.edge import PASSWORD
from tests.support.operations import Commanding, Operations, eventually, operations_on
from tests.support.simulator_rig import MODEL, TOKEN, spec_of

__all__ = ["PACE", "SETTINGS", "EnergySite", "RemoteSite", "energy_site", "simulated_station"]

PACE = Pace(gap_s=0.3, settle_s=1.5, over_s=0.5, obeyed_s=1.5)
SETTINGS = {"energy_balance_interval_s": 0.2, "energy_plan_interval_s": 5}


@dataclass
class RemoteSite:
    """A site of a server that may run anywhere, and short ways to what tests ask of it."""

    system: Commanding
    id: str
    stations: dict[str, Station] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        """Ask the API about the site."""
        answer = await self.system.http.request(method, f"/api/v1/sites/{self.id}{path}", json=body)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    async def put_tree(self, tree: dict[str, Any], *, enabled: bool = True) -> Any:
        """Give the site a tree and switch it on."""
        return await self.ask("PUT", "/energy", {"tree": tree, "enabled": enabled})

    async def live(self) -> dict[str, Any]:
        """The site as it is now; EVSEs by their key under `by_key`."""
        shown: dict[str, Any] = await self.ask("GET", "/energy/live")
        shown["by_key"] = {each["key"]: each for each in shown["evses"]}
        return shown

    async def until(
        self, condition: Callable[[dict[str, Any]], Any], patience_s: float = 90.0
    ) -> dict[str, Any]:
        """Wait until the live picture is as it should be."""
        shown: dict[str, Any] = {}
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    answer = await self.system.http.get(f"/api/v1/sites/{self.id}/energy/live")
                    if answer.status_code == 200:
                        shown = answer.json()
                        shown["by_key"] = {each["key"]: each for each in shown["evses"]}
                        if condition(shown):
                            return shown
                    await asyncio.sleep(0.1)
        except TimeoutError:
            seen = {
                each["key"]: [
                    each[name] for name in ("limit_a", "told_a", "drawn_a", "reason", "drive", "drive_detail")
                ]
                for each in shown.get("evses", ())
            }
            raise AssertionError(f"not reached; last seen {seen} {shown.get('nodes')}") from None

    async def charge(self, identity: str, evse: int, *, soc: float = 20.0, model: CarModel = MODEL) -> str:
        """Plug a car in and start; give the id of its session."""
        self.stations[identity].plug_in(evse, Car(model, soc_percent=soc, scale=1.0))
        done = await self.system.run(identity, "start_charging", token_uid=TOKEN.uid, evse_id=evse)
        assert done["outcome"] == "started", done
        return str(done["result"]["session_id"])

    def drawn(self) -> list[float]:
        """What all cars draw at this moment, per phase, as physics has it."""
        total = [0.0, 0.0, 0.0]
        for station in self.stations.values():
            for evse in station.evses:
                for number, current in enumerate(evse.flow.currents_a):
                    total[number] += current
        return total


@dataclass
class EnergySite(RemoteSite):
    """The same of an edge in this process."""

    system: Operations


@asynccontextmanager
async def simulated_station(
    url: str,
    version: OcppVersion,
    identity: str,
    *,
    change: Callable[[Any], Any] | None = None,
    tick_s: float = 0.05,
    sample_interval_s: int = 1,
) -> AsyncIterator[Station]:
    """Run a simulated station with two EVSEs of 16 A."""
    made = spec_of(version)
    spec = replace(made, identity=identity)
    station = Station(
        spec,
        StationOptions(
            url,
            PASSWORD,
            tick_s=tick_s,
            sample_interval_s=sample_interval_s,
            reboot_s=0.1,
            reconnect_least_s=0.05,
            reconnect_most_s=0.1,
            call_timeout_s=5,
        ),
        clock=SimClock(),
        traffic=Traffic(),
        notify=lambda *_: None,
    )
    if change is not None:
        change(station)
    life = asyncio.create_task(station.run())
    try:
        await eventually(lambda: station.lifecycle.accepted and not len(station.outbox))
        yield station
        assert not life.done(), life.exception()
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


@asynccontextmanager
async def energy_site(
    dsn: str, *stations: tuple[str, OcppVersion], change: Callable[[Any], Any] | None = None
) -> AsyncIterator[EnergySite]:
    """Start the whole on a database, with stations of some versions at one site."""
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(operations_on(dsn, **SETTINGS))
        system.edge.edge.energy.actuator._pace = PACE
        await system.edge.add_token(TOKEN.uid)
        made = await system.http.post("/api/v1/sites", json={"name": "Depot"})
        site = EnergySite(system, made.json()["id"])
        for identity, _ in stations:
            await system.edge.add_stations(identity)
            moved = await system.http.patch(f"/api/v1/stations/{identity}", json={"site_id": site.id})
            assert moved.status_code == 200, moved.text
        for identity, version in stations:
            site.stations[identity] = await stack.enter_async_context(
                simulated_station(system.edge.url, version, identity, change=change)
            )
        yield site
