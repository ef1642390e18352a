"""One simulated station with a small server of its own, ready for a test to play with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from pilotwire.simulator.car import Car, CarModel
from pilotwire.simulator.clock import SimClock
from pilotwire.simulator.link import Traffic
from pilotwire.simulator.model import (
    OCPP_VERSIONS,
    ConnectorSpec,
    EvseSpec,
    OcppVersion,
    StationQuirks,
    StationSpec,
    TokenSpec,
)
from pilotwire.simulator.station import Station, StationOptions
from tests.support.tiny_csms import TinyCsms, tiny_csms

TOKEN = TokenSpec("04A1B2C3D4E5F6", "Ada")
OTHER = TokenSpec("04FFFFFFFFFFFF", "Bea")
MODEL = CarModel("Test", 40_000.0, 3, 16.0, ((0.0, 100_000.0), (60.0, 80_000.0), (100.0, 10_000.0)), 400.0)
every_version = pytest.mark.parametrize("version", OCPP_VERSIONS)
two_x = pytest.mark.parametrize("version", ["2.0.1", "2.1"])


def spec_of(version: OcppVersion, *, dc: bool = False, quirks: StationQuirks | None = None) -> StationSpec:
    evses = tuple(
        EvseSpec(
            number,
            "DC" if dc else "AC",
            150_000 if dc else 11_000,
            3,
            (ConnectorSpec(1, "ccs2" if dc else "type2_socket"),),
            register_wh=100_000 * number,
        )
        for number in (1, 2)
    )
    return StationSpec(
        f"SIM-{version}", version, "Alfen", "Eve Double", "SN0001", "6.5.0", evses, quirks or StationQuirks()
    )


@dataclass
class Rig:
    """A station, its server and what the station told its caller."""

    station: Station
    csms: TinyCsms
    told: list[tuple[str, dict[str, Any]]]

    @property
    def identity(self) -> str:
        return self.station.spec.identity

    @property
    def is_16(self) -> bool:
        return self.station.spec.version == "1.6"

    def sent(self, action: str) -> list[dict[str, Any]]:
        return self.csms.sent(self.identity, action)

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        return await self.csms.call(self.identity, action, payload)

    async def until(self, condition: Callable[[], Any]) -> Any:
        return await self.csms.until(condition)

    async def accepted(self) -> None:
        await self.until(lambda: self.station.lifecycle.accepted and not len(self.station.outbox))

    def car(self, soc: float = 30.0, scale: float = 1.0) -> Car:
        return Car(MODEL, soc_percent=soc, scale=scale)

    async def charge(self, evse_id: int = 1, *, soc: float = 30.0, scale: float = 1.0) -> None:
        """Plug a car in, show the card, wait until energy flows."""
        self.station.plug_in(evse_id, self.car(soc, scale))
        assert await self.station.present_token(evse_id, TOKEN)
        await self.until(lambda: self.station.evses[evse_id - 1].flow.power_w > 0)

    def reference(self, evse_id: int = 1) -> Any:
        tx = self.station.evses[evse_id - 1].tx
        assert tx is not None
        return tx.number if self.is_16 else tx.id

    def ended(self) -> list[dict[str, Any]]:
        if self.is_16:
            return self.sent("StopTransaction")
        return [event for event in self.sent("TransactionEvent") if event["eventType"] == "Ended"]

    async def wait_ended(self) -> dict[str, Any]:
        return (await self.until(self.ended))[-1]


@asynccontextmanager
async def rig(
    version: OcppVersion,
    csms: TinyCsms | None = None,
    *,
    dc: bool = False,
    quirks: StationQuirks | None = None,
    **options: Any,
) -> AsyncIterator[Rig]:
    if csms is None:
        async with tiny_csms() as own, rig(version, own, dc=dc, quirks=quirks, **options) as made:
            yield made
        return
    told: list[tuple[str, dict[str, Any]]] = []
    settings = {
        "url": csms.url,
        "password": "first-password-0001",
        "tick_s": 0.02,
        "sample_interval_s": 1,
        "reboot_s": 0.1,
        "reconnect_least_s": 0.05,
        "reconnect_most_s": 0.1,
        "call_timeout_s": 5.0,
    } | options
    station = Station(
        spec_of(version, dc=dc, quirks=quirks),
        StationOptions(**settings),
        clock=SimClock(),
        traffic=Traffic(),
        notify=lambda kind, _identity, detail: told.append((kind, detail)),
    )
    life = asyncio.create_task(station.run())
    made = Rig(station, csms, told)
    try:
        yield made
        assert not life.done(), life.exception()
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life
