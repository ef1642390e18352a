"""A site with simulated stations of all kinds, what else flows there, and its server in a process of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from pilotwire.core.clock import utc_now
from pilotwire.simulator.model import OcppVersion
from pilotwire.simulator.station import Station
from pilotwire.simulator.storage import Storage
from tests.support.energy import RemoteSite, simulated_station
from tests.support.operations import Commanding, eventually
from tests.support.server_process import ServerProcess, add_stations
from tests.support.simulator_rig import TOKEN
from tests.support.site_plant import SitePlant, site_plant

__all__ = ["Depot", "Kind", "depot"]

_KEY = "pw_test-key-of-the-depot-000000001"


@dataclass(frozen=True)
class Kind:
    """A station at the site: what it speaks and how it takes limits."""

    name: str
    version: OcppVersion
    evses: int = 1
    max_a: float = 16.0
    change: Callable[[Station], None] | None = None


@dataclass
class Depot:
    """The site, what flows there, and the server that may be killed."""

    dsn: str
    directory: Path
    server: ServerProcess
    environment: Mapping[str, str]
    site: RemoteSite = field(init=False)
    plant: SitePlant = field(init=False)

    async def start_again(self) -> None:
        """Start the server again, in its place."""
        ports = (self.server.http_port, self.server.ocpp_port)
        self.server = await ServerProcess.start(self.dsn, self.directory, _KEY, ports, self.environment)

    async def within_the_fuse(self) -> None:
        """Ten seconds were enough, and it stays so."""
        try:
            await self.plant.settled()
            self.plant.check()
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self._story()}") from None

    async def _story(self) -> str:
        """What the server thinks of every car, and what it really draws."""
        if self.server.process.returncode is not None:
            return "the server is away"
        names = ("limit_a", "told_a", "drawn_a", "reason", "drive", "drive_detail")
        shown = await self.site.live()
        rows = [f"base {shown['nodes'][0]['phases']}"]
        for each in shown["evses"]:
            evse = self.site.stations[each["station_id"]].evses[each["evse_id"] - 1]
            rows.append(f"{each['key']}: really {evse.flow.currents_a}, {[each[name] for name in names]}")
        return "\n".join(rows)

    async def is_used(self, kept_a: float) -> None:
        """All is given away but what is kept for idle places, planned for later or too little for another car."""
        await eventually(lambda: max(self.plant.now_a) > self.plant.fuse_a - kept_a, 150)

    def charging(self) -> set[str]:
        """Where cars charge."""
        return {
            f"{name}/{evse.id}"
            for name, station in self.site.stations.items()
            for evse in station.evses
            if evse.flow.power_w > 0
        }

    async def tell(self, now_a: tuple[float, float, float]) -> None:
        """Bring a reading of the meter at the grid connection."""
        reading = {"at": utc_now().isoformat(), "current_a": list(now_a)}
        try:
            await self.site.system.http.post(
                f"/api/v1/sites/{self.site.id}/meters/main/readings", json=reading
            )
        except httpx.TransportError:
            await asyncio.sleep(0.2)  # the server is away: what a meter says then is lost

    async def stop(self) -> None:
        """End the server, if it was not killed."""
        if self.server.process.returncode is None:
            await self.server.kill()


@asynccontextmanager
async def depot(
    dsn: str,
    directory: Path,
    kinds: Sequence[Kind],
    tree: dict[str, Any],
    *,
    base_a: float,
    solar_a: float = 0.0,
    storage: Storage | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Depot]:
    """Run the server at its usual pace, the stations and the plant; the first node has the fuse and the meter `main`."""
    await add_stations(dsn, [kind.name for kind in kinds])
    settings = environment or {}
    server = await ServerProcess.start(dsn, directory, _KEY, environment=settings)
    async with AsyncExitStack() as stack:
        found = Depot(dsn, directory, server, settings)
        stack.push_async_callback(found.stop)
        headers = {"Authorization": f"Bearer {_KEY}"}
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30)
        )
        made = (await http.post("/api/v1/sites", json={"name": "Depot"})).json()
        site = found.site = RemoteSite(Commanding(http), made["id"])
        assert (await http.post("/api/v1/tokens", json={"uid": TOKEN.uid})).status_code == 201
        for kind in kinds:
            moved = await http.patch(f"/api/v1/stations/{kind.name}", json={"site_id": site.id})
            assert moved.status_code == 200, moved.text
            running = simulated_station(
                server.stations_url, kind.version, kind.name, change=kind.change, tick_s=0.2, sample_interval_s=2
            )  # fmt: skip
            site.stations[kind.name] = await stack.enter_async_context(running)
        fuse_a = float(tree["nodes"][0]["limit_a"])
        found.plant = SitePlant(
            site.drawn, found.tell, fuse_a, base_a=base_a, solar_a=solar_a, storage=storage, tell_s=1.0
        )
        await site.put_tree(tree)
        await stack.enter_async_context(site_plant(found.plant))
        yield found
