"""Commands and tasks against stations of plain frames: order, expiry, restart, stop rule, refusals."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from pilotwire.domain.identity.model import Role, system_principal
from pilotwire.domain.identity.usecases.manage_api_keys import create_api_key
from tests.support.edge import migrated_database
from tests.support.operations import Operations, eventually, operations, operations_on
from tests.support.postgres import drop_database
from tests.support.stations import Station, moment, station

ACCEPTED = {"status": "Accepted"}


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        await made.edge.add_stations("CP-1")
        yield made


async def test_waits_for_the_boot_and_keeps_the_order(system: Operations) -> None:
    tasks = [
        await system.give("CP-1", "trigger", message="heartbeat"),
        await system.give("CP-1", "unlock", evse_id=1),
        await system.give("CP-1", "clear_cache"),
    ]
    assert (await system.task(tasks[0]))["results"]["items"][0]["state"] == "queued"
    async with station(system.edge.url, "CP-1", "1.6", answer=lambda *_: ACCEPTED) as cp:
        await asyncio.sleep(0.7)
        assert cp.calls == []
        await cp.boot()
        last = await system.result(tasks[2])
        assert [action for action, _ in cp.calls] == ["TriggerMessage", "UnlockConnector", "ClearCache"]
    assert (last["state"], last["outcome"], last["attempts"], last["epoch"]) == ("done", "accepted", 1, 1)
    task = await system.task(tasks[2])
    assert (task["state"], task["succeeded"], task["total"]) == ("done", 1, 1)


async def test_a_station_that_comes_back_without_a_boot_is_served_after_a_moment(system: Operations) -> None:
    async with station(system.edge.url, "CP-1") as cp:
        await cp.boot()
    task = await system.give("CP-1", "clear_cache")
    async with station(system.edge.url, "CP-1", answer=lambda *_: ACCEPTED) as cp:
        assert (await system.result(task))["state"] == "done"


async def test_a_pending_station_gets_nothing(system: Operations) -> None:
    patched = await system.http.patch("/api/v1/stations/CP-1", json={"admission": "pending"})
    assert patched.status_code == 200
    async with station(system.edge.url, "CP-1", "1.6", answer=lambda *_: ACCEPTED) as cp:
        await cp.boot()
        refused = await system.http.post(
            "/api/v1/stations/CP-1/commands", json={"command": "clear_cache", "when_offline": "refuse"}
        )
        assert refused.status_code == 409
        assert "admission" in refused.json()["detail"]
        task = await system.give("CP-1", "clear_cache")
        await asyncio.sleep(0.6)
        assert (await system.task(task))["results"]["items"][0]["state"] == "queued"
        assert "ClearCache" not in [action for action, _ in cp.calls]


async def test_expires_unsent(system: Operations) -> None:
    result = await system.run("CP-1", "unlock", evse_id=1, expires_in_s=1)
    assert (result["state"], result["outcome"], result["sent_at"]) == ("expired", "expired", None)
    async with station(system.edge.url, "CP-1") as cp:
        await cp.boot()
        await asyncio.sleep(0.5)
        assert cp.calls == []


async def test_refused_when_it_may_not_wait(system: Operations) -> None:
    body = {"command": "clear_cache", "when_offline": "refuse"}
    answer = await system.http.post("/api/v1/stations/CP-1/commands", json=body)
    assert answer.status_code == 409
    assert answer.json()["code"] == "station_not_ready"


async def test_a_lost_connection_is_unknown_or_tried_again(system: Operations) -> None:
    def vanish(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        cp.drop()
        return ACCEPTED

    async with station(system.edge.url, "CP-1", answer=vanish) as cp:
        await cp.boot()
        dangerous = await system.run("CP-1", "unlock", evse_id=1)
    assert (dangerous["state"], dangerous["outcome"]) == ("unknown", "connection_lost")
    async with station(system.edge.url, "CP-1", answer=vanish) as cp:
        await cp.boot()
        harmless = await system.give("CP-1", "clear_cache")
        await eventually(lambda: cp.calls)
    assert (await system.result(harmless, "queued"))["attempts"] == 1
    async with station(system.edge.url, "CP-1", answer=lambda *_: ACCEPTED) as cp:
        await cp.boot()
        assert (await system.result(harmless))["attempts"] == 2


async def test_the_answer_of_a_station_ends_in_the_row_and_in_the_events(system: Operations) -> None:
    reader = system.app.state.hub.open(1)
    async with station(system.edge.url, "CP-1", "2.1") as cp:  # answers NotSupported
        await cp.boot()
        result = await system.run("CP-1", "clear_cache", note="because")
    assert (result["state"], result["outcome"]) == ("rejected", "not_supported")
    seen = b""
    while b"task.changed" not in seen or b"command.changed" not in seen:
        chunk = await reader.next_chunk(5)
        assert chunk
        seen += chunk
    audit = await system.edge.rows("SELECT * FROM audit_entry WHERE action = 'command.given'")
    assert [(row["actor"], row["object"]) for row in audit] == [("key:operator", "station CP-1")]


async def test_the_stop_rule_pauses_and_resume_goes_on(system: Operations) -> None:
    identities = [f"N-{number}" for number in range(8)]
    await system.edge.add_stations(*identities)
    async with AsyncExitStack() as stack:
        for identity in identities:
            cp = await stack.enter_async_context(
                station(system.edge.url, identity, "1.6", answer=lambda *_: {"status": "Rejected"})
            )
            await cp.boot()
        await asyncio.sleep(0.5)
        task = await system.give_many(
            "clear_cache", stations=identities, concurrency=1, stop_when_failed_percent=25
        )
        paused = await system.until(task, lambda each: each["state"] == "paused")
        await asyncio.sleep(0.3)
        paused = await system.task(task)
        assert (paused["failed"], paused["finished_at"]) == (2, None)
        states = Counter(each["state"] for each in paused["results"]["items"])
        assert states == {"rejected": 2, "queued": 6}
        resumed = await system.http.post(f"/api/v1/tasks/{task}/resume")
        assert resumed.json()["state"] == "running"
        done = await system.until(task, lambda each: each["state"] == "done")
        assert done["failed"] == 8


async def test_cancel_and_retry(system: Operations) -> None:
    await system.edge.add_stations("CP-2")
    task = await system.give_many("unlock", evse_id=1, stations=["CP-1", "CP-2"])
    early = await system.http.post(f"/api/v1/tasks/{task}/retry")
    assert (early.status_code, early.json()["code"]) == (409, "task_over")
    async with station(system.edge.url, "CP-2", answer=lambda *_: {"status": "Unlocked"}) as cp:
        await cp.boot()
        await system.until(task, lambda each: each["succeeded"] == 1)
    cancelled = (await system.http.post(f"/api/v1/tasks/{task}/cancel")).json()
    assert (cancelled["state"], cancelled["cancelled"], cancelled["succeeded"]) == ("cancelled", 1, 1)
    assert cancelled["finished_at"]
    again = await system.http.post(f"/api/v1/tasks/{task}/cancel")
    assert again.status_code == 409
    retried = (await system.http.post(f"/api/v1/tasks/{task}/retry")).json()["task_id"]
    fresh = await system.task(retried)
    assert [each["station_id"] for each in fresh["results"]["items"]] == ["CP-1"]
    assert (fresh["retry_of"], fresh["parameters"]) == (task, {"evse_id": 1, "connector_id": 1})
    listed = (await system.http.get("/api/v1/tasks", params={"limit": 1})).json()
    assert listed["items"][0]["id"] == retried
    older = (await system.http.get("/api/v1/tasks", params={"limit": 1, "cursor": listed["next"]})).json()
    assert older["items"][0]["id"] == task


async def test_by_filter_with_a_random_delay(system: Operations) -> None:
    await system.edge.add_stations("CP-2", "XX-1")
    async with AsyncExitStack() as stack:
        for identity in ("CP-1", "CP-2", "XX-1"):
            cp = await stack.enter_async_context(
                station(system.edge.url, identity, answer=lambda *_: ACCEPTED)
            )
            await cp.boot()
        task = await system.give_many("clear_cache", filter={"q": "CP-"}, random_delay_s=1)
        done = await system.until(task, lambda each: each["state"] == "done")
    assert [each["station_id"] for each in done["results"]["items"]] == ["CP-1", "CP-2"]
    assert all(each["sent_at"] >= each["not_before"] for each in done["results"]["items"])


async def test_a_version_without_the_command_is_refused_singly(system: Operations) -> None:
    await system.edge.add_stations("CP-2")
    for identity, version in (("CP-1", "1.6"), ("CP-2", "2.1")):
        async with station(system.edge.url, identity, version) as cp:
            await cp.boot()
    task = await system.task(await system.give_many("get_base_report", stations=["CP-1", "CP-2"]))
    assert [each["state"] for each in task["results"]["items"]] == ["rejected", "queued"]
    refused, waits = task["results"]["items"]
    assert "2.0.1" in refused["detail"]
    assert refused["reason"] == {"code": "v16_no_command", "values": {"command": "get_base_report"}}
    assert (waits["detail"], waits["reason"]) == ("", None)
    assert (refused["result"], waits["result"]) == ({}, {})
    assert task["failed"] == 1


async def test_a_list_names_the_station_of_a_task_of_one(system: Operations) -> None:
    await system.edge.add_stations("CP-2")
    one = await system.give("CP-2", "clear_cache")
    two = await system.give_many("clear_cache", stations=["CP-1", "CP-2"])
    listed = (await system.http.get("/api/v1/tasks")).json()["items"]
    assert [(each["id"], each["station_id"]) for each in listed] == [(two, None), (one, "CP-2")]


SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()


@pytest.mark.parametrize(
    ("path", "body", "status", "hint"),
    [
        ("/stations/NOBODY/commands", {"command": "clear_cache"}, 404, "NOBODY"),
        ("/stations/CP-1/commands", {"command": "explode"}, 422, "start_charging"),
        ("/stations/CP-1/commands", {}, 422, "command"),
        ("/stations/CP-1/commands", {"command": "unlock"}, 422, "evse_id"),
        ("/stations/CP-1/commands", {"command": "unlock", "evse_id": "1"}, 422, "evse_id"),
        ("/stations/CP-1/commands", {"command": "unlock", "evse_id": 1, "foo": 1}, 422, "foo"),
        ("/stations/CP-1/commands", {"command": "clear_cache", "expires_in_s": 0}, 422, "expires_in_s"),
        ("/stations/CP-1/commands", {"command": "clear_cache", "when_offline": "x"}, 422, "when_offline"),
        ("/stations/CP-1/commands", {"command": "get_base_report"}, 422, "2.0.1"),
        ("/stations/CP-1/commands", {"command": "reset", "mode": "on_idle"}, 422, "soft"),
        ("/stations/CP-1/commands", {"command": "set_limit", "limit_a": 1, "limit_w": 1}, 422, "exactly one"),
        ("/stations/CP-1/commands", {"command": "set_limit", "limit_a": -1}, 422, "limit_a"),
        ("/stations/CP-1/commands", {"command": "start_charging", "token_uid": "NEW"}, 422, "/tokens"),
        ("/stations/CP-1/commands", {"command": "start_charging", "token_uid": "BAD"}, 422, "blocked"),
        ("/stations/CP-1/commands", {"command": "stop_charging"}, 422, "exactly one"),
        ("/stations/CP-1/commands", {"command": "stop_charging", "session_id": "x"}, 422, "session"),
        (
            "/stations/CP-1/commands",
            {"command": "stop_charging", "session_id": "00000000-0000-0000-0000-000000000000"},
            404,
            "no session",
        ),
        (
            "/stations/CP-1/commands",
            {"command": "reserve", "token_uid": "TAG", "until": "2020-01-01T00:00:00Z"},
            422,
            "until",
        ),
        (
            "/stations/CP-1/commands",
            {"command": "set_configuration", "key": "AuthorizationKey", "value": "x"},
            422,
            "secret",
        ),
        ("/stations/CP-1/commands", {"command": "get_logs", "location": "not an address"}, 422, "address"),
        ("/stations/CP-1/commands", {"command": "get_logs", "location": "ftp://u:p@h/x"}, 422, "password"),
        ("/stations/CP-1/commands", {"command": "get_report"}, 422, "get_base_report"),
        (
            "/stations/CP-1/commands",
            {"command": "publish_firmware", "location": "https://x.example/fw", "checksum": "x"},
            422,
            "checksum",
        ),
        ("/stations/CP-1/commands", {"command": "set_monitoring_level", "severity": 10}, 422, "severity"),
        ("/stations/CP-1/commands", {"command": "set_monitoring_level", "severity": 5}, 422, "2.0.1"),
        (
            "/stations/CP-1/commands",
            {
                "command": "start_charging",
                "token_uid": "TAG",
                "profile": {
                    "id": 1,
                    "purpose": "default",
                    "unit": "a",
                    "periods": [{"start_s": 0, "limit": 6}],
                },
            },
            422,
            "purpose 'session'",
        ),
        (
            "/stations/CP-1/commands",
            {"command": "clear_cache", "not_before": "2020-01-01T00:00:00Z"},
            422,
            "to come",
        ),
        (
            "/stations/CP-1/commands",
            {"command": "clear_cache", "when_offline": "refuse", "not_before": SOON},
            422,
            "not_before",
        ),
        ("/commands", {"command": "clear_cache"}, 422, "stations"),
        ("/commands", {"command": "clear_cache", "stations": ["CP-1", "NOBODY"]}, 404, "NOBODY"),
        ("/commands", {"command": "clear_cache", "filter": {"q": "nothing like it"}}, 409, "filter"),
        ("/commands", {"command": "clear_cache", "filter": {"colour": "red"}}, 422, "colour"),
        ("/commands", {"command": "get_base_report", "stations": ["CP-1"]}, 422, "2.0.1"),
        ("/commands", {"command": "stop_charging", "transaction_id": "1", "filter": {}}, 422, "evse_id"),
    ],
)
async def test_bad_input_is_explained_and_nothing_is_sent(
    system: Operations, path: str, body: dict[str, Any], status: int, hint: str
) -> None:
    await system.edge.add_token("TAG")
    await system.http.post("/api/v1/tokens", json={"uid": "BAD", "status": "blocked"})
    async with station(system.edge.url, "CP-1", "1.6", answer=lambda *_: ACCEPTED) as cp:
        await cp.boot()
        answer = await system.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        assert hint in answer.json()["detail"]
        assert await system.edge.value("SELECT count(*) FROM command") == 0
        assert cp.calls == []


async def test_viewers_look_only(system: Operations) -> None:
    task = await system.give("CP-1", "clear_cache")
    _, key = await create_api_key(system.edge.edge.database, system_principal(), "v", Role.VIEWER)
    headers = {"Authorization": f"Bearer {key}"}
    assert (await system.http.get(f"/api/v1/tasks/{task}", headers=headers)).status_code == 200
    await system.edge.add_token("04A1B2C3D4E5F6")
    start = await system.give("CP-1", "start_charging", token_uid="04A1B2C3D4E5F6")
    seen = (await system.http.get(f"/api/v1/tasks/{start}", headers=headers)).json()
    assert "04A1B2C3D4E5F6" not in seen["parameters"]["token_uid"]
    made = await system.edge.value("SELECT count(*) FROM task")
    for path in (f"/tasks/{task}/cancel", f"/tasks/{task}/retry", f"/tasks/{task}/resume"):
        assert (await system.http.post(f"/api/v1{path}", headers=headers)).status_code == 403
    answer = await system.http.post(
        "/api/v1/stations/CP-1/commands", json={"command": "clear_cache"}, headers=headers
    )
    assert answer.status_code == 403
    assert await system.edge.value("SELECT count(*) FROM task") == made


async def test_a_restart_in_the_middle_does_no_station_twice(postgres_server: str) -> None:
    dsn = migrated_database(postgres_server)
    identities = [f"N-{number:03d}" for number in range(100)]
    done: Counter[str] = Counter()

    async def connected(stack: AsyncExitStack, system: Operations) -> list[Station]:
        made = []
        for identity in identities:

            def answer(action: str, payload: Any, identity: str = identity) -> dict[str, Any]:
                done[identity] += 1
                return {"status": "Unlocked"}

            made.append(
                await stack.enter_async_context(station(system.edge.url, identity, "1.6", answer=answer))
            )
            await made[-1].boot()
        return made

    async with operations_on(dsn) as system:
        await system.edge.add_stations(*identities)
        async with AsyncExitStack() as stack:
            await connected(stack, system)
            await asyncio.sleep(0.4)
            task = await system.give_many("unlock", evse_id=1, stations=identities, concurrency=4)
            await eventually(lambda: sum(done.values()) >= 25, pause_s=0)
            for work in asyncio.all_tasks():
                if work.get_name() == "command runner":
                    work.cancel()
            halfway = sum(done.values())
    assert halfway < 100
    async with operations_on(dsn) as system, AsyncExitStack() as stack:
        await connected(stack, system)
        over = await system.until(task, lambda each: each["finished_at"] is not None, 40)
    states = Counter(each["state"] for each in over["results"]["items"])
    assert over["total"] == sum(states.values()) == 100
    assert set(states) <= {"done", "unknown"}
    assert states["unknown"] <= 4  # at most what was under way
    assert max(done.values()) == 1
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def test_what_was_accepted_is_followed_over_a_restart(postgres_server: str) -> None:
    dsn = migrated_database(postgres_server)
    async with operations_on(dsn) as system:
        await system.edge.add_stations("CP-1")
        await system.edge.add_token("TAG1")
        async with station(system.edge.url, "CP-1", answer=lambda *_: ACCEPTED) as cp:
            await cp.boot()
            task = await system.give("CP-1", "start_charging", token_uid="TAG1", evse_id=1)
            number = (await system.result(task, "accepted"))["number"]
            assert cp.calls[0][1]["remoteStartId"] == number
    async with operations_on(dsn) as system, station(system.edge.url, "CP-1") as cp:
        await cp.call(
            "TransactionEvent",
            {
                "eventType": "Started",
                "timestamp": moment(),
                "triggerReason": "RemoteStart",
                "seqNo": 0,
                "transactionInfo": {"transactionId": "tx-1", "remoteStartId": number},
                "evse": {"id": 1, "connectorId": 1},
                "idToken": {"idToken": "TAG1", "type": "ISO14443"},
            },
        )
        started = await system.result(task)
    assert (started["state"], started["outcome"]) == ("done", "started")
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def test_many_waiting_commands_are_delivered_in_their_order(system: Operations) -> None:
    for number in range(60):
        await system.give("CP-1", "data_transfer", vendor_id="org.example", data=str(number))
    async with station(system.edge.url, "CP-1", answer=lambda *_: ACCEPTED) as cp:
        await cp.boot()
        await eventually(lambda: len(cp.calls) == 60)
        assert [payload["data"] for _, payload in cp.calls] == [str(number) for number in range(60)]


@pytest.mark.slow
async def test_ten_thousand_waiting_commands_cost_nothing(system: Operations) -> None:
    identities = [f"N-{number:05d}" for number in range(10_000)]
    await system.edge.add_stations(*identities)
    task = await system.give_many("clear_cache", filter={"q": "N-"}, expires_in_s=3600)
    assert (await system.task(task))["total"] == 10_000
    await asyncio.sleep(0.5)  # the runner has seen that none of them is there

    async def scans() -> int:
        await asyncio.sleep(1.5)  # the figures are gathered once a second
        found: int = await system.edge.value(
            "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'command'"
        )
        return found

    await scans()
    before = await scans()
    assert await scans() == before
    async with station(system.edge.url, "N-05000", answer=lambda *_: ACCEPTED) as cp:
        await cp.boot()
        await system.until(task, lambda each: each["succeeded"] == 1)
        assert [action for action, _ in cp.calls] == ["ClearCache"]


async def test_the_api_describes_every_command(system: Operations) -> None:
    described = (await system.http.get("/api/v1/openapi.json")).json()
    schemas = described["components"]["schemas"]
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described)))
    assert referred <= set(schemas)
    names = {
        each["properties"]["command"].get("enum", [""])[0]
        for each in schemas.values()
        if "command" in each.get("required", ())
    }
    body = described["paths"]["/api/v1/commands"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert set(body["properties"]["command"]["enum"]) <= names


async def test_a_command_for_later_waits_for_its_moment(system: Operations) -> None:
    async with station(system.edge.url, "CP-1", "1.6", answer=lambda *_: ACCEPTED) as cp:
        await cp.boot()
        for delay_s in (3, 10, 40):  # a machine that is too busy to show it in time gets more
            cp.calls.clear()
            soon = datetime.now(UTC) + timedelta(seconds=delay_s)
            later = {"not_before": soon.isoformat(), "expires_in_s": 60}
            task = await system.give("CP-1", "set_availability", available=False, **later)
            waiting = (await system.task(task))["results"]["items"][0]
            assert datetime.fromisoformat(waiting["expires_at"]) >= soon + timedelta(seconds=60)
            other = await system.run("CP-1", "clear_cache")
            done = await system.result(task)
            assert datetime.fromisoformat(done["sent_at"]) >= soon
            if datetime.fromisoformat(other["finished_at"]) < soon:
                break
        else:
            pytest.fail("a command for later holds up the others")
        assert [action for action, _ in cp.calls] == ["ClearCache", "ChangeAvailability"]


@pytest.mark.parametrize(
    ("more", "hint"),
    [
        ({"not_before": "2020-01-01T00:00:00Z"}, "to come"),
        ({"not_before": "2999-01-01T00:00:00Z"}, "within a year"),
        ({"not_before": "2030-01-01T00:00:00"}, "zone"),
        ({"not_before": "tomorrow"}, "not_before"),
    ],
)
async def test_a_moment_that_cannot_be_is_refused(
    system: Operations, more: dict[str, Any], hint: str
) -> None:
    for path in ("/stations/CP-1/commands", "/commands"):
        body = {"command": "clear_cache", **more} | ({"filter": {}} if path == "/commands" else {})
        answer = await system.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == 422, answer.text
        assert hint in answer.json()["detail"]
    assert await system.edge.value("SELECT count(*) FROM command") == 0
