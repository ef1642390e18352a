"""Stations of every version against a small server: a whole session, outages, resets, commands, passwords."""

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


@every_version
async def test_boots_and_reports_every_connector(version: OcppVersion) -> None:
    async with rig(version) as made:
        await made.accepted()
        assert len(made.sent("BootNotification")) == 1
        statuses = made.sent("StatusNotification")
        if made.is_16:
            assert [(s["connectorId"], s["status"]) for s in statuses] == [
                (n, "Available") for n in (0, 1, 2)
            ]
        else:
            assert [(s["evseId"], s["connectorId"], s["connectorStatus"]) for s in statuses] == [
                (1, 1, "Available"),
                (2, 1, "Available"),
            ]
        assert made.sent("SecurityEventNotification")[0]["type"] == "StartupOfTheDevice"


@every_version
@pytest.mark.parametrize("dc", [False, True])
async def test_a_whole_session_has_exact_registers(version: OcppVersion, dc: bool) -> None:
    async with rig(version, dc=dc) as made:
        await made.accepted()
        await made.charge()
        await asyncio.sleep(2.2)
        assert await made.station.present_token(1, TOKEN)
        made.station.unplug(1)
        stop = await made.wait_ended()
        register = int(made.station.evses[0].register_wh + 1e-6)
        if made.is_16:
            start = made.sent("StartTransaction")[0]
            assert start["meterStart"] == 100_000
            assert stop["meterStop"] == register > 100_000
            assert stop["transactionId"] == 1001
            assert stop["reason"] == "Local"
            samples = [value["meterValue"][0] for value in made.sent("MeterValues")]
            statuses = [s["status"] for s in made.sent("StatusNotification") if s["connectorId"] == 1]
        else:
            events = made.sent("TransactionEvent")
            assert [event["seqNo"] for event in events] == list(range(len(events)))
            assert [event["triggerReason"] for event in events[:2]] == ["CablePluggedIn", "Authorized"]
            assert events[0]["meterValue"][0]["sampledValue"][0]["value"] == 100_000
            assert stop["meterValue"][0]["sampledValue"][0]["value"] == register > 100_000
            assert stop["transactionInfo"]["stoppedReason"] == "Local"
            assert not any(event["offline"] for event in events)
            periodic = [event for event in events if event["triggerReason"] == "MeterValuePeriodic"]
            samples = [event["meterValue"][0] for event in periodic]
            statuses = [s["connectorStatus"] for s in made.sent("StatusNotification") if s["evseId"] == 1]
        assert len(samples) >= 2
        measurands = {(v["measurand"], v.get("phase")) for v in samples[-1]["sampledValue"]}
        if dc:
            assert ("SoC", None) in measurands
            assert ("Current.Import", None) in measurands
        else:
            assert {("Current.Import", f"L{n}") for n in (1, 2, 3)} <= measurands
            assert {("Voltage", f"L{n}-N") for n in (1, 2, 3)} <= measurands
        await made.until(lambda: not len(made.station.outbox))
        expected = ["Available", "Preparing", "Charging", "Finishing", "Available"]
        folded = ["Available", "Occupied", "Available"]
        statuses = [
            s["status" if made.is_16 else "connectorStatus"]
            for s in made.sent("StatusNotification")
            if s["connectorId" if made.is_16 else "evseId"] == 1
        ]
        distinct = [s for n, s in enumerate(statuses) if n == 0 or statuses[n - 1] != s]
        assert distinct == (expected if made.is_16 else folded)
