"""Lists of tokens in stations: in step with ours in every version, whatever happens on the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from pilotwire.domain.local_lists.events import LocalListChanged
from pilotwire.simulator.model import OcppVersion
from pilotwire.simulator.station import Station as SimulatedStation
from tests.integration.operations.test_simulator import simulated
from tests.support.devices import Keys
from tests.support.operations import Operations, eventually, operations
from tests.support.simulator_rig import every_version
from tests.support.stations import station


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    """A system that reads stations at once and tells them of tokens soon."""
    async with operations(
        postgres_server, device_read_delay_s=0, local_list_debounce_s=0.2, local_list_stations_per_s=1000
    ) as made:
        yield made


async def add(system: Operations, uid: str, **more: Any) -> None:
    answer = await system.http.post("/api/v1/tokens", json={"uid": uid, **more})
    assert answer.status_code == 201, answer.text


async def until(
    system: Operations, identity: str, condition: Callable[[dict[str, Any]], Any]
) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            answer = await system.http.get(f"/api/v1/stations/{identity}/local-list")
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            if condition(found):
                return found
            await asyncio.sleep(0.05)


async def in_step(system: Operations, identity: str, entries: int) -> dict[str, Any]:
    return await until(system, identity, lambda f: f["state"] == "in_step" and f["entries"] == entries)


def held(cp: SimulatedStation) -> dict[str, str]:
    return {uid: verdict.status for uid, verdict in cp.known.local_list.items()}


# The station's part (using the list, dropping a customer from it) is the simulator's; ours is what the list says.
@pytest.mark.covers("TC_C_40", "TC_C_43", "TC_N_46")
@every_version
async def test_a_list_follows_the_tokens_and_serves_offline(system: Operations, version: OcppVersion) -> None:
    await add(system, "CARD-1")
    await add(system, "CARD-2", group_id="FAMILY")
    await add(system, "PHONE", kind="app")
    await add(system, "BAD", status="blocked")
    async with simulated(system, version) as cp:
        identity = cp.spec.identity
        found = await in_step(system, identity, 2)
        assert held(cp) == {"card-1": "Accepted", "card-2": "Accepted"}
        assert cp.known.local_list["card-2"].group == "FAMILY"
        assert (found["most_entries"], found["items_per_message"], found["left_out"]) == (1000, 100, 0)
        assert found["version"] == cp.known.list_version
        await add(system, "CARD-3")
        await in_step(system, identity, 3)
        assert (await system.http.delete("/api/v1/tokens/CARD-1")).status_code == 204
        blocking = await system.http.patch("/api/v1/tokens/CARD-2", json={"status": "blocked"})
        assert blocking.status_code == 200
        await in_step(system, identity, 1)
        assert held(cp) == {"card-3": "Accepted"}
        assert cp.known.offline_verdict("card-3", cp.now()).accepted
        assert not cp.known.offline_verdict("CARD-2", cp.now()).accepted
        # The station forgets: at its return it is asked, and gets the list again.
        cp.known.local_list.clear()
        cp.known.list_version = 0
        cp.link.cut()
        await eventually(lambda: held(cp) == {"card-3": "Accepted"})
        await in_step(system, identity, 1)


async def test_many_changes_go_as_one_message_and_few_as_a_difference(system: Operations) -> None:
    device = Keys(
        {
            "SupportedFeatureProfiles": ("Core,LocalAuthListManagement", True),
            "LocalAuthListEnabled": ("true", False),
            "LocalAuthListMaxLength": ("50", True),
            "SendLocalListMaxLength": ("20", True),
        }
    )
    sent: list[dict[str, Any]] = []
    versions = [0]

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "GetLocalListVersion":
            return {"listVersion": versions[-1]}
        if action == "SendLocalList":
            sent.append(payload)
            versions.append(payload["listVersion"])
            return {"status": "Accepted"}
        return device.answer(action, payload)

    await system.edge.add_stations("CP-1")
    rows = "\n".join(["uid", *(f"TAG-{number:03}" for number in range(60))])
    told: list[LocalListChanged] = []
    system.edge.edge.bus.subscribe(LocalListChanged, told.append)
    async with station(system.edge.url, "CP-1", "1.6", answer=answer) as cp:
        await cp.call("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "One"})
        await in_step(system, "CP-1", 0)
        sent.clear()
        imported = await system.http.post(
            "/api/v1/imports/tokens", content=rows, headers={"Content-Type": "text/csv"}
        )
        assert imported.json()["created"] == 60, imported.text
        found = await in_step(system, "CP-1", 50)
        assert (found["left_out"], found["wanted_entries"]) == (10, 50)
        assert [(each["updateType"], len(each["localAuthorizationList"])) for each in sent] == [
            ("Full", 20), ("Differential", 20), ("Differential", 10),
        ]  # fmt: skip
        numbers = [each["listVersion"] for each in sent]
        assert numbers == list(range(numbers[0], numbers[0] + 3))
        on_list = {each["idTag"] for part in sent for each in part["localAuthorizationList"]}
        sent.clear()
        gone = min(on_list)
        assert (await system.http.delete(f"/api/v1/tokens/{gone}")).status_code == 204
        await eventually(lambda: sent)
        await in_step(system, "CP-1", 50)
        (only,) = sent
        assert only["updateType"] == "Differential"
        assert {"idTag": gone} in only["localAuthorizationList"]
        assert len(only["localAuthorizationList"]) == 2, "one off, one that had no room on"
        # Somebody wrote another list there meanwhile: the difference is refused, the list goes whole.
        sent.clear()
        again = await system.http.post("/api/v1/stations/CP-1/local-list/send")
        assert again.status_code == 202, again.text
        assert again.json()["state"] == "behind", "it is not in step until it has been sent"
        await eventually(lambda: len(sent) == 3)
        assert sent[0]["updateType"] == "Full"
    assert told
    assert {each.state for each in told} == {"in_step"}


async def test_a_list_comes_also_where_settings_are_slow_to_be_kept(system: Operations) -> None:
    await system.edge.rows(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(8); RETURN NULL; END'"
    )
    await system.edge.rows(
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON device_model DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW WHEN (NEW.state = 'complete') EXECUTE FUNCTION late()"
    )
    device = Keys({"SupportedFeatureProfiles": ("Core,LocalAuthListManagement", True)})

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if action == "GetLocalListVersion":
            return {"listVersion": 0}
        return {"status": "Accepted"} if action == "SendLocalList" else device.answer(action, payload)

    await add(system, "ONE")
    await system.edge.add_stations("CP-1")
    async with station(system.edge.url, "CP-1", "1.6", answer=answer) as cp:
        await cp.boot()
        # Nobody looks again by himself: it has to be told when what was read can be seen, not before.
        await in_step(system, "CP-1", 1)


async def test_a_version_mismatch_is_answered_with_the_whole_list(system: Operations) -> None:
    await add(system, "ONE")
    async with simulated(system, "2.0.1") as cp:
        await in_step(system, cp.spec.identity, 1)
        for number in range(2, 6):
            await add(system, f"T{number}")
        await in_step(system, cp.spec.identity, 5)
        cp.known.list_version += 7
        cp.known.local_list.clear()
        await add(system, "SIX")
        await in_step(system, cp.spec.identity, 6)
        assert len(cp.known.local_list) == 6


async def test_a_station_that_refuses_is_shown_and_tried_again_later(system: Operations) -> None:
    await add(system, "ONE")
    async with simulated(system, "1.6") as cp:
        await in_step(system, cp.spec.identity, 1)
        cp.device.set("local_list_items", "0")
        await add(system, "TWO")
        found = await until(system, cp.spec.identity, lambda f: f["state"] == "failed")
        assert found["detail"] == "the station answered failed"
        assert found["attempts"] == 1
        assert found["next_at"] is not None
        cp.device.set("local_list_items", "100")
        assert (
            await system.http.post(f"/api/v1/stations/{cp.spec.identity}/local-list/send")
        ).status_code == 202
        await in_step(system, cp.spec.identity, 2)


async def test_rules_say_whose_list_is_kept(system: Operations) -> None:
    await add(system, "ONE")
    off = await system.http.put("/api/v1/local-list-rules", json={"kept": False})
    assert off.status_code == 204, off.text
    async with simulated(system, "2.1") as cp:
        identity = cp.spec.identity
        refused = await system.http.post(f"/api/v1/stations/{identity}/local-list/send")
        assert refused.status_code == 409, refused.text
        await eventually(lambda: cp.lifecycle.accepted)
        on = await system.http.put("/api/v1/local-list-rules", json={"kept": True, "station_id": identity})
        assert on.status_code == 204
        await in_step(system, identity, 1)
        assert held(cp) == {"one": "Accepted"}
        rules = (await system.http.get("/api/v1/local-list-rules")).json()
        assert [(each["station_id"], each["kept"]) for each in rules["items"]] == [
            (None, False), (identity, True),
        ]  # fmt: skip
        assert (
            await system.http.delete("/api/v1/local-list-rules", params={"station_id": identity})
        ).status_code == 204
        found = await until(system, identity, lambda f: f["state"] == "not_kept")
        assert found["kept"] is False
        listed = (await system.http.get("/api/v1/local-lists", params={"state": "not_kept"})).json()
        assert [each["station_id"] for each in listed["items"]] == [identity]
    both = {"kept": True, "station_id": "X", "site_id": "018f3b1c-0000-7000-8000-000000000000"}
    assert (await system.http.put("/api/v1/local-list-rules", json=both)).status_code == 422
    missing = await system.http.put("/api/v1/local-list-rules", json={"kept": True, "station_id": "NOBODY"})
    assert missing.status_code == 404
