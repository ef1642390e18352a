"""Templates from tenant to station, drift from them, and its repair."""

import asyncio
from typing import Any

import pytest

from tests.integration.configuration.test_reading import KEYS, connected, get, pages, until_read
from tests.support.devices import Keys, Variables
from tests.support.operations import Operations

HEARTBEAT = "OCPPCommCtrlr/HeartbeatInterval"


async def make_template(system: Operations, *entries: tuple[str, str], **place: Any) -> dict[str, Any]:
    body = {"entries": [{"name": name, "value": value} for name, value in entries], **place}
    answer = await system.http.post("/api/v1/configuration-templates", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until_drift(system: Operations, **wanted: str) -> list[dict[str, Any]]:
    """Wait until exactly these settings drift: name (with / as __) -> value that is wanted."""
    expected = {name.replace("__", "/"): value for name, value in wanted.items()}
    async with asyncio.timeout(60):
        while True:
            items = (await get(system, "drift"))["items"]
            if {each["name"]: each["wanted"] for each in items} == expected:
                return list(items)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_drift_is_found_and_repaired(system: Operations, version: str) -> None:
    device: Keys | Variables = Keys(dict(KEYS)) if version == "1.6" else Variables(pages())
    template = await make_template(system, ("HeartbeatInterval", "60"), ("FreeMode", "false"))
    async with connected(system, version, device):
        await until_read(system)
        (drift,) = await until_drift(system, OCPPCommCtrlr__HeartbeatInterval="60")
        assert (drift["state"], drift["actual"], drift["template_id"]) == ("different", "300", template["id"])
        (listed,) = (await system.http.get("/api/v1/drift")).json()["items"]
        assert (listed["station_id"], listed["drifting"]) == ("CP-1", 1)
        repaired = await system.http.post("/api/v1/drift/repair", json={})
        assert repaired.status_code == 202, repaired.text
        result = await system.result(repaired.json()["task_id"])
        assert (result["state"], result["outcome"]) == ("done", "accepted")
        await until_drift(system)
    assert device.written == [("HeartbeatInterval", "60")]
    assert (await system.http.get("/api/v1/drift")).json()["items"] == []
    nothing = await system.http.post("/api/v1/drift/repair", json={})
    assert nothing.json()["code"] == "nothing_to_do"
    by_name = await system.http.post("/api/v1/drift/repair", json={"stations": ["CP-1"]})
    assert by_name.status_code == 202


async def test_the_closest_template_wins_and_changes_are_seen_at_once(system: Operations) -> None:
    site = (await system.http.post("/api/v1/sites", json={"name": "Harbour"})).json()["id"]
    async with connected(system, "1.6", Keys(dict(KEYS))):
        await until_read(system)
        tenant = await make_template(system, ("HeartbeatInterval", "1"), ("FreeMode", "true"), vendor="Acme")
        await until_drift(system, OCPPCommCtrlr__HeartbeatInterval="1", FreeMode="true")
        at_site = await make_template(system, (HEARTBEAT, "2"), site_id=site)
        await system.http.patch("/api/v1/stations/CP-1", json={"site_id": site})
        await until_drift(system, OCPPCommCtrlr__HeartbeatInterval="2", FreeMode="true")
        own = await make_template(system, ("HeartbeatInterval", "300"), station_id="CP-1", name="as it is")
        await until_drift(system, FreeMode="true")
        address = "/api/v1/configuration-templates"
        changed = await system.http.patch(
            f"{address}/{own['id']}", json={"entries": [{"key": "HeartbeatInterval", "value": "3"}]}
        )
        assert (changed.json()["scope"], changed.json()["station_id"]) == ("station", "CP-1")
        await until_drift(system, OCPPCommCtrlr__HeartbeatInterval="3", FreeMode="true")
        await system.http.delete(f"{address}/{own['id']}")
        await system.http.delete(f"{address}/{at_site['id']}")
        await until_drift(system, OCPPCommCtrlr__HeartbeatInterval="1", FreeMode="true")
        await system.http.delete(f"{address}/{tenant['id']}")
        await until_drift(system)


async def test_what_cannot_be_repaired_says_why(system: Operations) -> None:
    device = Keys(dict(KEYS), statuses={"FreeMode": "Rejected"})
    device.values["Fixed"] = ("1", True)
    await make_template(system, ("FreeMode", "true"), ("Fixed", "2"), ("Absent", "3"))
    async with connected(system, "1.6", device):
        await until_read(system)
        items = await until_drift(system, FreeMode="true", Fixed="2", Absent="3")
        assert {each["name"]: each["state"] for each in items} == {
            "FreeMode": "different", "Fixed": "read_only", "Absent": "missing",
        }  # fmt: skip
        given = await system.http.post("/api/v1/drift/repair", json={"stations": ["CP-1"]})
        result = await system.result(given.json()["task_id"])
        assert (result["state"], result["outcome"]) == ("rejected", "rejected")
        assert device.written == [("FreeMode", "true")]
        async with asyncio.timeout(30):
            while True:
                found = {each["name"]: each["outcome"] for each in (await get(system, "drift"))["items"]}
                if found["FreeMode"] == "rejected":
                    break
                await asyncio.sleep(0.05)
        assert found["Fixed"] is None


async def test_a_change_at_the_station_is_drift_too(system: Operations) -> None:
    await make_template(system, ("AuthCtrlr/Mode", "A"))
    async with connected(system, "2.1", Variables(pages())) as cp:
        await until_read(system)
        await until_drift(system)
        event = {
            "eventId": 1, "timestamp": "2026-03-01T12:00:00Z", "trigger": "Delta", "actualValue": "B",
            "eventNotificationType": "HardWiredNotification", "variable": {"name": "Mode"},
            "component": {"name": "AuthCtrlr"},
        }  # fmt: skip
        await cp.call(
            "NotifyEvent", {"generatedAt": "2026-03-01T12:00:00Z", "seqNo": 0, "eventData": [event]}
        )
        (drift,) = await until_drift(system, AuthCtrlr__Mode="A")
    assert drift["actual"] == "B"


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"entries": [{"key": "AuthorizationKey", "value": "0123456789abcdef"}]}, "secret"),
        ({"entries": [{"key": "HeartbeatInterval", "value": "often"}]}, "entries.0"),
        ({"entries": [{"key": "A", "value": "1"}, {"name": "A", "value": "2"}]}, "entries.1"),
        ({"entries": [{"value": "1"}]}, "give a name"),
        ({"entries": [], "station_id": "NOBODY"}, "NOBODY"),
        ({"entries": [], "site_id": "00000000-0000-0000-0000-000000000001"}, "no site"),
        (
            {"entries": [], "site_id": "00000000-0000-0000-0000-000000000001", "station_id": "CP-1"},
            "not both",
        ),
    ],
)
async def test_a_template_that_cannot_be_is_refused(
    system: Operations, body: dict[str, Any], hint: str
) -> None:
    refused = await system.http.post("/api/v1/configuration-templates", json=body)
    assert refused.status_code in (404, 422)
    assert hint in refused.text


async def test_stations_and_sites_may_have_templates_of_the_same_make(system: Operations) -> None:
    await make_template(system, vendor="Acme")
    again = await system.http.post("/api/v1/configuration-templates", json={"vendor": "Acme", "entries": []})
    assert again.json()["code"] == "template_exists"
    own = await make_template(system, ("FreeMode", "true"), vendor="Acme", station_id="CP-1")
    assert own["entries"][0]["name"] == "FreeMode"
    shown = await system.http.get(f"/api/v1/configuration-templates/{own['id']}")
    assert shown.json() == own
