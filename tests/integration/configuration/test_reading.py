"""What stations say of themselves: at the first boot, after new firmware, on demand, whole or in pieces."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.devices import Keys, Variables, report_item
from tests.support.operations import Operations, eventually, operations_on
from tests.support.stations import Station, station

KEYS: dict[str, tuple[str | None, bool]] = {
    "HeartbeatInterval": ("300", False),
    "NumberOfConnectors": ("2", True),
    "AuthorizationKey": ("leaked-secret-1234", False),
    "FreeMode": ("false", False),
}
TWO = ["2.0.1", "2.1"]


def pages() -> list[list[dict[str, Any]]]:
    speed = report_item("Fan", "Speed", "40", "ReadOnly", dataType="integer", unit="percent", maxLimit=100)
    speed["component"] |= {"instance": "left", "evse": {"id": 1, "connectorId": 2}}
    target = report_item("Limit", "Current", "16", dataType="decimal")
    target["variableAttribute"].append({"type": "Target", "value": "12"})
    return [
        [
            report_item(
                "OCPPCommCtrlr", "HeartbeatInterval", "300", dataType="integer", unit="s", minLimit=1
            ),
            report_item("SecurityCtrlr", "BasicAuthPassword", "leaked-secret-1234", "WriteOnly"),
        ],
        [speed, target],
        [report_item("AuthCtrlr", "Mode", "A", dataType="OptionList", valuesList="A, B")],
    ]


@asynccontextmanager
async def connected(
    system: Operations, version: str, device: Keys | Variables, *, boot: bool = True, firmware: str = ""
) -> AsyncIterator[Station]:
    async with station(system.edge.url, "CP-1", version, answer=device.answer) as cp:
        if isinstance(device, Variables):
            device.link = cp
        if boot:
            await boot_with(cp, version, firmware)
        yield cp


async def boot_with(cp: Station, version: str, firmware: str = "") -> None:
    if version == "1.6":
        make = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": firmware or "1"}
        await cp.call("BootNotification", make)
        return
    made_by = {"vendorName": "Acme", "model": "Two", "firmwareVersion": firmware or "1"}
    await cp.call("BootNotification", {"reason": "PowerUp", "chargingStation": made_by})


async def get(system: Operations, path: str, **parameters: Any) -> dict[str, Any]:
    answer = await system.http.get(f"/api/v1/stations/CP-1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until(system: Operations, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a station's variables are as they should be, and give all of them."""
    async with asyncio.timeout(60):
        while True:
            found = await get(system, "variables", limit=1000)
            if condition(found):
                return found
            await asyncio.sleep(0.02)


async def until_read(system: Operations, *states: str) -> dict[str, Any]:
    """Wait until the reading has ended, and give all variables."""
    wanted = states or ("complete",)
    return await until(system, lambda found: found["reading"]["state"] in wanted)


def values(found: dict[str, Any]) -> dict[str, str | None]:
    return {each["name"]: each["value"] for each in found["items"] if each["attribute"] == "actual"}


async def test_a_1_6_station_is_read_at_its_first_boot(system: Operations) -> None:
    device = Keys(dict(KEYS))
    assert (await get(system, "variables"))["reading"]["state"] == "never"
    async with connected(system, "1.6", device):
        found = await until_read(system)
    assert values(found) == {
        "OCPPCommCtrlr/HeartbeatInterval": "300",
        "ChargingStation/NumberOfConnectors": "2",
        "SecurityCtrlr/BasicAuthPassword": None,
        "FreeMode": "false",
    }
    by_key = {each["key"]: each for each in found["items"]}
    heartbeat = by_key["HeartbeatInterval"]
    assert (heartbeat["component"], heartbeat["variable"]) == ("OCPPCommCtrlr", "HeartbeatInterval")
    assert (heartbeat["data_type"], heartbeat["unit"], heartbeat["mutability"]) == (
        "integer",
        "s",
        "read_write",
    )
    assert by_key["NumberOfConnectors"]["mutability"] == "read_only"
    assert by_key["AuthorizationKey"]["secret"] is True
    assert (by_key["FreeMode"]["component"], by_key["FreeMode"]["secret"]) == (None, False)
    assert found["reading"]["firmware_version"] == "1"
    task = (await system.http.get("/api/v1/tasks")).json()["items"][0]
    assert (task["command"], task["created_by"]) == ("read_settings", "system")


@pytest.mark.parametrize("version", TWO)
async def test_a_2_x_station_is_read_at_its_first_boot(system: Operations, version: str) -> None:
    device = Variables(pages())
    async with connected(system, version, device):
        found = await until_read(system)
    assert device.asked == ["FullInventory"]
    assert values(found) == {
        "OCPPCommCtrlr/HeartbeatInterval": "300",
        "SecurityCtrlr/BasicAuthPassword": None,
        "Fan[left]#1.2/Speed": "40",
        "Limit/Current": "16",
        "AuthCtrlr/Mode": "A",
    }
    assert found["reading"]["pages"] == 3
    by_name = {(each["name"], each["attribute"]): each for each in found["items"]}
    fan = by_name["Fan[left]#1.2/Speed", "actual"]
    assert (fan["evse_id"], fan["connector_id"], fan["component_instance"]) == (1, 2, "left")
    assert (fan["mutability"], fan["unit"], fan["max_limit"]) == ("read_only", "percent", 100)
    assert by_name["Limit/Current", "target"]["value"] == "12"
    assert by_name["AuthCtrlr/Mode", "actual"]["values"] == ["A", "B"]
    assert by_name["AuthCtrlr/Mode", "actual"]["data_type"] == "option_list"


@pytest.mark.parametrize("version", ["1.6", *TWO])
async def test_no_secret_is_kept_anywhere(system: Operations, version: str) -> None:
    device: Keys | Variables = Keys(dict(KEYS)) if version == "1.6" else Variables(pages())
    async with connected(system, version, device):
        await until_read(system)
    kept = ""
    for table in (
        "device_variable",
        "device_value",
        "command",
        "task",
        "frame",
        "station_report",
        "audit_entry",
    ):
        kept += str([tuple(row) for row in await system.edge.rows(f"SELECT * FROM {table}")])
    assert "FreeMode" in kept or "Mode" in kept
    assert "leaked-secret-1234" not in kept


async def test_it_is_read_again_after_new_firmware_only(system: Operations) -> None:
    device = Keys(dict(KEYS))
    async with connected(system, "1.6", device):
        await until_read(system)
    async with connected(system, "1.6", device) as cp:
        await cp.call("Heartbeat", {})
        await asyncio.sleep(1.5)
        assert device.asked == [[]]
        device.values["FreeMode"] = ("true", False)
        del device.values["NumberOfConnectors"]
        await boot_with(cp, "1.6", "2")
        await eventually(lambda: len(device.asked) == 2)
    found = await until(system, lambda found: found["reading"]["firmware_version"] == "2")
    assert values(found)["FreeMode"] == "true"
    assert "ChargingStation/NumberOfConnectors" not in values(found), "what is not reported any more is gone"


async def test_a_station_that_gives_nothing_at_once_is_asked_for_the_standard_keys(
    system: Operations,
) -> None:
    device = Keys(dict(KEYS), silent=True)
    async with connected(system, "1.6", device):
        found = await until_read(system, "incomplete")
    assert values(found)["OCPPCommCtrlr/HeartbeatInterval"] == "300"
    assert "FreeMode" not in values(found)
    assert max(map(len, device.asked)) <= 5


async def test_a_truncated_answer_is_completed_by_the_standard_keys(system: Operations) -> None:
    device = Keys(dict(KEYS))
    whole: list[str] = []

    async def talk() -> None:
        async for text in raw.socket:
            frame = json.loads(text)
            if frame[0] == 2 and frame[2] == "GetConfiguration":
                answer = json.dumps([3, frame[1], device.answer(frame[2], frame[3])])
                if not frame[3].get("key"):
                    whole.append(answer)
                    answer = answer[: answer.index("AuthorizationKey") - 30]
                await raw.socket.send(answer)

    async with station(system.edge.url, "CP-1", "1.6") as raw:
        await boot_with(raw, "1.6")
        raw._reader.cancel()
        await asyncio.gather(raw._reader, return_exceptions=True)
        talking = asyncio.create_task(talk())
        found = await until_read(system, "incomplete")
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert whole
    assert values(found)["ChargingStation/NumberOfConnectors"] == "2"
    assert "cut off" in found["reading"]["detail"]


async def test_a_station_without_full_inventory_reports_its_configuration(system: Operations) -> None:
    device = Variables(pages(), bases=("ConfigurationInventory",))
    async with connected(system, "2.0.1", device):
        found = await until_read(system)
    assert device.asked == ["FullInventory", "ConfigurationInventory"]
    assert "what can be configured" in found["reading"]["detail"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_station_that_cannot_be_read_says_so_in_the_task(system: Operations, version: str) -> None:
    async with station(system.edge.url, "CP-1", version) as cp:  # NotSupported to everything
        await boot_with(cp, version)
        found = await until_read(system, "failed")
    assert "not_supported" in found["reading"]["detail"]
    assert found["items"] == []
    task = (await system.http.get("/api/v1/tasks")).json()["items"][0]
    assert task["failed"] == 1


async def test_a_missing_page_makes_the_reading_incomplete(
    system: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotwire.jobs.device_model.DeviceModelKeeper._deadline", soon)
    device = Variables(pages(), withheld={1})
    async with connected(system, "2.0.1", device):
        found = await until_read(system, "incomplete")
        task_id = (await system.http.get("/api/v1/tasks")).json()["items"][0]["id"]
        result = await system.result(task_id)
    assert found["reading"]["detail"] == "page 1 of 3 did not come"
    assert "AuthCtrlr/Mode" in values(found), "what came is kept"
    assert (result["state"], result["outcome"]) == ("failed", "incomplete")


@pytest.mark.parametrize(("withheld", "state"), [({1, 2}, "incomplete"), ({0, 1, 2}, "failed")])
async def test_a_report_that_breaks_off(
    system: Operations, monkeypatch: pytest.MonkeyPatch, withheld: set[int], state: str
) -> None:
    monkeypatch.setattr("pilotwire.jobs.device_model.DeviceModelKeeper._deadline", soon)
    async with connected(system, "2.0.1", Variables(pages(), withheld=withheld)):
        found = await until_read(system, state)
    assert ("OCPPCommCtrlr/HeartbeatInterval" in values(found)) is (state == "incomplete")


def soon(keeper: Any) -> float:
    return asyncio.get_running_loop().time() + 2


async def test_pages_in_any_order_and_twice_make_one_report(system: Operations) -> None:
    numbers: list[int] = []

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "GetBaseReport":
            numbers.append(payload["requestId"])
            return {"status": "Accepted"}
        return None

    async with station(system.edge.url, "CP-1", "2.0.1", answer=answer) as cp:
        await boot_with(cp, "2.0.1")
        await eventually(lambda: numbers)
        made = pages()
        for seq_no in (2, 0, 0, 1):
            page = {"requestId": numbers[0], "generatedAt": "2026-03-01T12:00:00Z", "seqNo": seq_no}
            await cp.call("NotifyReport", {**page, "tbc": seq_no < 2, "reportData": made[seq_no]})
        found = await until_read(system)
    assert len(values(found)) == 5


async def test_an_event_changes_the_value_and_its_history(system: Operations) -> None:
    async with connected(system, "2.1", Variables(pages())) as cp:
        await until_read(system)
        event = {
            "eventId": 1, "timestamp": "2026-03-01T12:00:00Z", "trigger": "Delta", "actualValue": "55",
            "eventNotificationType": "HardWiredNotification", "variable": {"name": "Speed"},
            "component": {"name": "Fan", "instance": "left", "evse": {"id": 1, "connectorId": 2}},
        }  # fmt: skip
        await cp.call(
            "NotifyEvent", {"generatedAt": "2026-03-01T12:00:00Z", "seqNo": 0, "eventData": [event]}
        )
        await until(system, lambda found: values(found)["Fan[left]#1.2/Speed"] == "55")
    history = (await get(system, "variables/history", name="Fan[left]#1.2/Speed"))["items"]
    assert [(each["value"], each["source"]) for each in history] == [("55", "event"), ("40", "report")]
    fan = next(each for each in (await get(system, "variables", q="Fan"))["items"])
    assert (fan["mutability"], fan["unit"], fan["source"]) == ("read_only", "percent", "event")


async def test_settings_are_read_by_name_on_demand(system: Operations) -> None:
    device = Keys(dict(KEYS))
    async with connected(system, "1.6", device):
        await until_read(system)
        device.values["HeartbeatInterval"] = ("77", False)
        body = {"names": ["ocppcommctrlr/heartbeatinterval"]}
        given = await system.http.post("/api/v1/stations/CP-1/variables/read", json=body)
        result = await system.result(given.json()["task_id"])
        assert (result["state"], result["outcome"]) == ("done", "read")
        await until(system, lambda found: values(found)["OCPPCommCtrlr/HeartbeatInterval"] == "77")
        unknown = await system.http.post("/api/v1/stations/CP-1/variables/read", json={"names": ["Nothing"]})
        assert (await system.result(unknown.json()["task_id"]))["outcome"] == "unknown_variable"


async def test_filters_pages_and_wrong_questions(system: Operations) -> None:
    async with connected(system, "2.0.1", Variables(pages())):
        await until_read(system)
    assert len((await get(system, "variables", writable="false"))["items"]) == 1
    assert len((await get(system, "variables", component="fan"))["items"]) == 1
    assert len((await get(system, "variables", evse_id=1))["items"]) == 1
    assert len((await get(system, "variables", q="heartbeat"))["items"]) == 1
    assert (await get(system, "variables", q="100%"))["items"] == []
    first = await get(system, "variables", limit=4)
    rest = await get(system, "variables", limit=4, cursor=first["next"])
    assert len(first["items"] + rest["items"]) == 6
    assert rest["next"] is None
    history = await get(system, "variables/history", limit=2)
    more = await get(system, "variables/history", limit=100, cursor=history["next"])
    assert len(history["items"] + more["items"]) == 5, "each value but the secret"
    nobody = await system.http.get("/api/v1/stations/NOBODY/variables")
    assert nobody.status_code == 404


async def test_a_restart_in_the_middle_of_a_report_is_taken_up(postgres_server: str) -> None:
    from urllib.parse import urlsplit

    from tests.support.edge import migrated_database
    from tests.support.postgres import drop_database

    dsn = migrated_database(postgres_server)
    async with operations_on(dsn, device_read_delay_s=0) as system:
        await system.edge.add_stations("CP-1")
        async with connected(system, "2.0.1", Variables(pages(), withheld={2})):
            await until_read(system, "reading")
    async with operations_on(dsn, device_read_delay_s=0) as system:
        assert (await get(system, "variables"))["reading"]["state"] == "incomplete"
        async with connected(system, "2.0.1", Variables(pages())):
            await until_read(system)
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))
