"""Settings of clients that share no code with us: they check what they get against the official schemas."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ocpp.routing import after, on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets import Subprotocol
from websockets.asyncio.client import connect

from tests.support.edge import PASSWORD, basic_header
from tests.support.operations import Operations, operations

PATIENCE_S = 60


class Station16(ChargePoint16):  # type: ignore[misc]
    """A station with three keys."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.keys = {"HeartbeatInterval": "300", "LightIntensity": "50", "VendorKey": "on"}

    @on("GetConfiguration")
    def give(self, key: list[str] | None = None) -> Any:
        wanted = self.keys if key is None else [each for each in key if each in self.keys]
        found = [{"key": each, "readonly": False, "value": self.keys[each]} for each in wanted]
        unknown = [each for each in key or () if each not in self.keys]
        return result16.GetConfiguration(configuration_key=found, unknown_key=unknown)

    @on("ChangeConfiguration")
    def take(self, key: str, value: str) -> Any:
        if key not in self.keys:
            return result16.ChangeConfiguration(status="NotSupported")
        self.keys[key] = value
        return result16.ChangeConfiguration(status="Accepted")


class Station201(ChargePoint201):  # type: ignore[misc]
    """A station with two variables, each on a page of its own."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.values = {("OCPPCommCtrlr", "HeartbeatInterval"): "300", ("Fan", "Speed"): "slow"}

    @on("GetBaseReport")
    def promise(self, request_id: int, report_base: str) -> Any:
        return result201.GetBaseReport(status="Accepted")

    @after("GetBaseReport")
    async def report(self, request_id: int, report_base: str) -> None:
        for seq_no, ((component, variable), value) in enumerate(self.values.items()):
            entry = {
                "component": {"name": component},
                "variable": {"name": variable},
                "variable_attribute": [{"type": "Actual", "value": value, "mutability": "ReadWrite"}],
                "variable_characteristics": {"data_type": "string", "supports_monitoring": False},
            }
            await self.call(
                call201.NotifyReport(
                    request_id=request_id, generated_at="2026-03-01T12:00:00Z", seq_no=seq_no,
                    tbc=seq_no < len(self.values) - 1, report_data=[entry],
                )
            )  # fmt: skip

    @on("GetVariables")
    def give(self, get_variable_data: list[dict[str, Any]]) -> Any:
        return result201.GetVariables(
            get_variable_result=[
                {
                    "attribute_status": "Accepted",
                    "attribute_value": self.values[each["component"]["name"], each["variable"]["name"]],
                    "component": each["component"],
                    "variable": each["variable"],
                }
                for each in get_variable_data
            ]
        )

    @on("SetVariables")
    def take(self, set_variable_data: list[dict[str, Any]]) -> Any:
        for each in set_variable_data:
            self.values[each["component"]["name"], each["variable"]["name"]] = each["attribute_value"]
        return result201.SetVariables(
            set_variable_result=[
                {"attribute_status": "Accepted", "component": each["component"], "variable": each["variable"]}
                for each in set_variable_data
            ]
        )


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server, device_read_delay_s=0) as made:
        await made.edge.add_stations("CP-1")
        yield made


@asynccontextmanager
async def client(system: Operations, kind: type, version: str) -> AsyncIterator[Any]:
    socket = await connect(
        f"{system.edge.url}/CP-1",
        subprotocols=[Subprotocol(f"ocpp{version}")],
        additional_headers={"Authorization": basic_header("CP-1", PASSWORD)},
        proxy=None,
    )
    made = kind("CP-1", socket)
    reading = asyncio.create_task(made.start())
    try:
        yield made
    finally:
        await socket.close()
        await asyncio.gather(reading, return_exceptions=True)


async def until(system: Operations, path: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found: dict[str, Any] = (await system.http.get(f"/api/v1/stations/CP-1/{path}")).json()
            if condition(found):
                return found
            await asyncio.sleep(0.05)


async def read_drift_and_repair(system: Operations, names: set[str]) -> None:
    """Read at the first boot, find what differs from a template, repair it, and read it again by name."""
    found = await until(system, "variables", lambda found: found["reading"]["state"] == "complete")
    assert {each["name"] for each in found["items"]} == names
    entries = [{"key": "HeartbeatInterval", "value": "60"}]
    await system.http.post("/api/v1/configuration-templates", json={"vendor": "V", "entries": entries})
    drift = await until(system, "drift", lambda found: bool(found["items"]))
    assert [(each["actual"], each["wanted"]) for each in drift["items"]] == [("300", "60")]
    given = await system.http.post("/api/v1/drift/repair", json={})
    repaired = await system.result(given.json()["task_id"])
    assert (repaired["state"], repaired["outcome"]) == ("done", "accepted")
    await until(system, "drift", lambda found: not found["items"])
    read = await system.run("CP-1", "read_settings", names=["HeartbeatInterval"])
    assert read["result"]["settings"][0]["value"] == "60"


@pytest.mark.covers("1.6:GetConfiguration", "1.6:ChangeConfiguration")
async def test_the_ocpp_packages_1_6_client(system: Operations) -> None:
    async with client(system, Station16, "1.6") as cp:
        await cp.call(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        names = {"OCPPCommCtrlr/HeartbeatInterval", "ChargingStation/LightIntensity", "VendorKey"}
        await read_drift_and_repair(system, names)
        assert cp.keys["HeartbeatInterval"] == "60"


@pytest.mark.covers("2.0.1:GetBaseReport", "2.0.1:NotifyReport", "2.0.1:GetVariables", "2.0.1:SetVariables")
async def test_the_ocpp_packages_2_0_1_client(system: Operations) -> None:
    async with client(system, Station201, "2.0.1") as cp:
        made_by = {"model": "M", "vendor_name": "V"}
        await cp.call(call201.BootNotification(charging_station=made_by, reason="PowerUp"))
        await read_drift_and_repair(system, {"OCPPCommCtrlr/HeartbeatInterval", "Fan/Speed"})
        assert cp.values["OCPPCommCtrlr", "HeartbeatInterval"] == "60"
