"""Many light stations that update their firmware for real: they fetch it, tell of it, and come back after losses."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets import ConnectionClosed

from tests.support.stations import Station, station

__all__ = ["Fleet"]

VERSIONS = ("1.6", "2.0.1", "2.1")


class _One:
    """One station. What it has to tell is kept until it is told, as stations do."""

    def __init__(self, fleet: "Fleet", number: int) -> None:
        self.fleet = fleet
        self.number = number
        self.identity = fleet.identities[number]
        self.version = VERSIONS[number % len(VERSIONS)]
        self.firmware = "1.0.0"
        self.updated = False
        self._cp: Station | None = None
        self._there = asyncio.Event()
        self._works: set[asyncio.Task[None]] = set()

    async def live(self, url: str) -> None:
        """Stay connected."""
        while True:
            try:
                async with station(url, self.identity, self.version, answer=self._answer) as cp:
                    await self._boot(cp)
                    self._cp = cp
                    self._there.set()
                    await cp.socket.wait_closed()
            except (OSError, ConnectionClosed, TimeoutError):
                pass
            finally:
                self._there.clear()
            await asyncio.sleep(0.5)

    async def _boot(self, cp: Station) -> None:
        if self.version == "1.6":
            make: dict[str, Any] = {"chargePointVendor": "Acme", "chargePointModel": "One"}
            await cp.call("BootNotification", make | {"firmwareVersion": self.firmware})
            return
        made_by = {"vendorName": "Acme", "model": "Two", "firmwareVersion": self.firmware}
        await cp.call("BootNotification", {"reason": "PowerUp", "chargingStation": made_by})

    def _answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action != "UpdateFirmware":
            return None
        self.fleet.note_order(self.identity)
        location = payload.get("location") or payload["firmware"]["location"]
        working = asyncio.create_task(self._update(location, payload.get("requestId")))
        self._works.add(working)
        working.add_done_callback(self._works.discard)
        return {} if self.version == "1.6" else {"status": "Accepted"}

    async def _tell(self, status: str, number: int | None) -> None:
        more = {} if number is None else {"requestId": number}
        while True:
            await self._there.wait()
            assert self._cp is not None
            try:
                await self._cp.call("FirmwareStatusNotification", {"status": status, **more})
            except (OSError, ConnectionClosed, TimeoutError):
                await asyncio.sleep(0.1)
                continue
            return

    async def _update(self, location: str, number: int | None) -> None:
        await self._tell("Downloading", number)
        for _ in range(30):
            try:
                answer = await self.fleet.http.get(location)
            except httpx.TransportError:
                await asyncio.sleep(1)
                continue
            break
        if answer.status_code != 200 or self.fleet.failing(self.number):
            await self._tell("DownloadFailed" if answer.status_code != 200 else "InstallationFailed", number)
            return
        await self._tell("Downloaded", number)
        self.firmware, self.updated = "2.1.0", True
        await self._tell("Installed", number)
        while True:
            await self._there.wait()
            assert self._cp is not None
            try:
                await self._boot(self._cp)
            except (OSError, ConnectionClosed, TimeoutError):
                await asyncio.sleep(0.1)
                continue
            return

    def stop(self) -> None:
        """End what is under way."""
        for work in self._works:
            work.cancel()


class Fleet:
    """`count` stations of all versions; `failing` tells by number which ones fail to install."""

    def __init__(self, count: int, failing: Callable[[int], bool]) -> None:
        self.identities = [f"F-{number:03d}" for number in range(count)]
        self.failing = failing
        self.ordered: Counter[str] = Counter()
        self.stations: list[_One] = []
        self._wanted = count + 1
        self._reached = asyncio.Event()
        self.http = httpx.AsyncClient(timeout=30)

    def note_order(self, identity: str) -> None:
        """Count an order for firmware."""
        self.ordered[identity] += 1
        if len(self.ordered) >= self._wanted:
            self._reached.set()

    async def has_ordered(self, count: int) -> None:
        """Wait until so many stations have been told to update."""
        self._wanted = count
        if len(self.ordered) < count:
            await self._reached.wait()

    @property
    def failures(self) -> int:
        """How many will fail."""
        return sum(self.failing(number) for number in range(len(self.identities)))

    @asynccontextmanager
    async def connected(self, url: str) -> AsyncIterator[None]:
        """Connect all, and keep them connected."""
        self.stations = [_One(self, number) for number in range(len(self.identities))]
        lives = []
        for one in self.stations:
            lives.append(asyncio.create_task(one.live(url)))
            await asyncio.sleep(0.005)
        try:
            async with asyncio.timeout(60):
                for one in self.stations:
                    await one._there.wait()
            await asyncio.sleep(0.5)
            yield
        finally:
            for one in self.stations:
                one.stop()
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
            await self.http.aclose()
