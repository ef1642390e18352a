"""Settings are written one at a time, read back, and what needs a reboot gets it when no session runs."""

import asyncio
from typing import Any

import pytest

from tests.integration.configuration.test_reading import (
    KEYS,
    TWO,
    boot_with,
    connected,
    get,
    pages,
    until,
    until_read,
    values,
)
from tests.support.devices import Keys, Variables
from tests.support.operations import Operations, eventually
from tests.support.stations import station

HEARTBEAT = "OCPPCommCtrlr/HeartbeatInterval"


async def write(system: Operations, *settings: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Write settings and wait for the end of the task."""
    body = {"settings": [{"name": name, "value": value} for name, value in settings], **more}
    answer = await system.http.patch("/api/v1/stations/CP-1/variables", json=body)
    assert answer.status_code == 202, answer.text
    return await system.result(answer.json()["task_id"])


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in result["result"]["settings"]}


@pytest.mark.parametrize("version", ["1.6", *TWO])
async def test_several_settings_are_written_one_by_one_and_read_back(
    system: Operations, version: str
) -> None:
    device: Keys | Variables = Keys(dict(KEYS)) if version == "1.6" else Variables(pages())
    other = "FreeMode" if version == "1.6" else "AuthCtrlr/Mode"
    async with connected(system, version, device):
        await until_read(system)
        result = await write(system, ("HeartbeatInterval", "60"), (other, "B"))
        assert (result["state"], result["outcome"]) == ("done", "accepted")
        assert [each["actual"] for each in result["result"]["settings"]] == ["60", "B"]
        found = await until(system, lambda found: values(found)[other] == "B")
    assert values(found)[HEARTBEAT] == "60"
    assert len(device.written) == 2
    if isinstance(device, Variables):
        assert device.together == 1
    history = (await get(system, "variables/history", name=HEARTBEAT))["items"]
    assert [(each["value"], each["source"], each["changed_by"]) for each in history] == [
        ("60", "write", "key:operator"),
        ("300", "report", None),
    ]


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ([{"name": "NumberOfConnectors", "value": "3"}], "read-only"),
        ([{"name": "HeartbeatInterval", "value": "often"}], "number"),
        ([{"name": "AuthorizationKey", "value": "0123456789abcdef"}], "secret"),
        ([{"name": "Fan/Speed", "value": "1"}], "no such key"),
        ([], "settings"),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_is_sent(
    system: Operations, settings: list[dict[str, str]], hint: str
) -> None:
    device = Keys(dict(KEYS))
    async with connected(system, "1.6", device):
        await until_read(system)
        refused = await system.http.patch("/api/v1/stations/CP-1/variables", json={"settings": settings})
    assert refused.status_code == 422
    assert hint in refused.text
    assert device.written == []


async def test_a_refusal_of_one_does_not_stop_the_others(system: Operations) -> None:
    device = Keys(dict(KEYS), statuses={"HeartbeatInterval": "Rejected"}, ignored={"FreeMode"})
    device.values["Light"] = ("1", False)
    async with connected(system, "1.6", device):
        await until_read(system)
        result = await write(
            system, ("HeartbeatInterval", "60"), ("FreeMode", "true"), ("Light", "2"), ("New", "1")
        )
        await until(system, lambda found: values(found)["Light"] == "2")
        found = await get(system, "variables")
    assert result["state"] == "rejected"
    assert outcomes(result) == {
        HEARTBEAT: "rejected", "FreeMode": "not_applied", "Light": "accepted", "New": "not_supported",
    }  # fmt: skip
    assert "3 of 4" in result["detail"]
    assert values(found)[HEARTBEAT] == "300"


async def test_a_station_that_falls_silent_in_the_middle(
    system: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Keys(dict(KEYS))
    board = system.edge.edge.switchboard
    whole = board.call

    async def impatient(station_id: int, action: str, payload: bytes, timeout_s: float = 30) -> Any:
        return await whole(station_id, action, payload, 0.5 if b"HeartbeatInterval" in payload else timeout_s)

    monkeypatch.setattr(board, "call", impatient)
    async with connected(system, "1.6", device) as cp:
        await until_read(system)
        answering = cp.answer

        async def never(frame: list[Any], take: Any = cp._take) -> None:
            if not (
                frame[0] == 2 and frame[2] == "ChangeConfiguration" and frame[3]["key"] == "HeartbeatInterval"
            ):
                await take(frame)

        cp._take = never  # type: ignore[method-assign]
        assert answering is cp.answer
        result = await write(system, ("FreeMode", "true"), ("HeartbeatInterval", "60"), ("Light", "1"))
    assert (result["state"], result["outcome"]) == ("timed_out", "no_answer")
    assert list(outcomes(result).values()) == ["accepted", "no_answer", "not_tried"]


@pytest.mark.parametrize(("version", "mode"), [("1.6", {"type": "Soft"}), ("2.0.1", {"type": "OnIdle"})])
async def test_a_reset_when_idle_makes_the_setting_hold(
    system: Operations, version: str, mode: dict[str, str]
) -> None:
    device: Keys | Variables
    if version == "1.6":
        device = Keys(dict(KEYS), statuses={"HeartbeatInterval": "RebootRequired"})
    else:
        device = Variables(pages(), statuses={"HeartbeatInterval": "RebootRequired"})
    async with connected(system, version, device) as cp:
        await until_read(system)
        result = await write(system, ("HeartbeatInterval", "60"), reset="on_idle")
        assert (result["state"], result["outcome"]) == ("done", "reboot_required")
        await eventually(lambda: ("Reset", mode) in cp.calls)
        assert (await get(system, "variables"))["reading"]["reboot_pending"] is True
        reads = len([call for call in cp.calls if call[0] in ("GetConfiguration", "GetBaseReport")])
        if isinstance(device, Keys):
            device.values["HeartbeatInterval"] = ("60", False)
        else:
            device.pages[0][0]["variableAttribute"][0]["value"] = "60"
        await boot_with(cp, version)
        found = await until(system, lambda found: values(found)[HEARTBEAT] == "60")
        await eventually(
            lambda: (
                len([call for call in cp.calls if call[0] in ("GetConfiguration", "GetBaseReport")]) > reads
            )
        )
        await until_read(system)
    assert found["reading"]["reboot_pending"] is False


async def test_a_1_6_station_is_not_reset_while_a_session_runs(system: Operations) -> None:
    device = Keys(dict(KEYS), statuses={"HeartbeatInterval": "RebootRequired"})
    await system.edge.add_token("TAG1")
    async with connected(system, "1.6", device) as cp:
        await until_read(system)
        start = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0, "timestamp": "2026-03-01T12:00:00Z"}
        started = await cp.call("StartTransaction", start)
        await write(system, ("HeartbeatInterval", "60"), reset="on_idle")
        await until(system, lambda found: found["reading"]["reset_on_idle"])
        await asyncio.sleep(1.5)
        assert not [call for call in cp.calls if call[0] == "Reset"]
        stop = {
            "transactionId": started["transactionId"],
            "meterStop": 10,
            "timestamp": "2026-03-01T13:00:00Z",
        }
        await cp.call("StopTransaction", stop)
        await eventually(lambda: ("Reset", {"type": "Soft"}) in cp.calls)


async def test_a_make_that_breaks_of_measurands_gets_one_new_one_at_a_time(system: Operations) -> None:
    device = Keys({"MeterValuesSampledData": ("Energy.Active.Import.Register", False)})
    boot = {"chargePointVendor": "ABB", "chargePointModel": "Terra AC W22-T-0", "firmwareVersion": "1.8.21"}
    async with station(system.edge.url, "CP-1", "1.6", answer=device.answer) as cp:
        await cp.call("BootNotification", boot)
        await until_read(system)
        all_of_them = "Energy.Active.Import.Register,Power.Active.Import,Voltage,SoC"
        held = await write(system, ("MeterValuesSampledData", all_of_them))
        assert (held["state"], held["outcome"]) == ("rejected", "held_back")
        assert "one at a time" in held["detail"]
        assert device.written == []
        taken = await write(
            system, ("MeterValuesSampledData", "Energy.Active.Import.Register,Power.Active.Import")
        )
        assert taken["outcome"] == "accepted"


async def test_what_waits_for_an_offline_station_is_written_when_it_comes(system: Operations) -> None:
    device = Keys(dict(KEYS))
    async with connected(system, "1.6", device):
        await until_read(system)
    body = {"settings": [{"name": "FreeMode", "value": "true"}]}
    refused = await system.http.patch(
        "/api/v1/stations/CP-1/variables", json={**body, "when_offline": "refuse"}
    )
    assert refused.json()["code"] == "station_not_ready"
    given = await system.http.patch("/api/v1/stations/CP-1/variables", json=body)
    async with connected(system, "1.6", device):
        assert (await system.result(given.json()["task_id"]))["outcome"] == "accepted"
    assert device.values["FreeMode"] == ("true", False)
