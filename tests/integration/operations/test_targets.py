"""Sessions that are stopped at their target, by stations of every version, away or back, over a restart."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.charging import Charging, ago
from tests.support.edge import migrated_database
from tests.support.operations import Operations, eventually, operations, operations_on
from tests.support.postgres import drop_database
from tests.support.stations import PATIENCE_S, Station, station

VERSIONS = ("1.6", "2.0.1", "2.1")
STOPS = {"RemoteStopTransaction", "RequestStopTransaction"}


def accepts(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"status": "Accepted"}


async def prepare(system: Operations) -> None:
    await system.edge.add_stations("CP-1")
    await system.edge.add_token("CARD")


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server, supervision_interval_s=0.2) as made:
        await prepare(made)
        yield made


async def session_of(system: Operations, **wanted: Any) -> dict[str, Any]:
    """Wait until the newest session's target is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            items = (await system.http.get("/api/v1/sessions")).json()["items"]
            if items and wanted.items() <= (items[0]["target"] or {}).items():
                found: dict[str, Any] = items[0]
                return found
            await asyncio.sleep(0.05)


async def stopped(client: Station, times: int = 1) -> list[dict[str, Any]]:
    """Wait until the station has been told to stop."""

    def stops() -> list[dict[str, Any]]:
        return [payload for action, payload in client.calls if action in STOPS]

    await eventually(lambda: len(stops()) >= times)
    return stops()


async def aim(system: Operations, **target: Any) -> dict[str, Any]:
    session = await session_of(system)
    answer = await system.http.put(f"/api/v1/sessions/{session['id']}/target", json=target)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_session_started_with_a_target_is_stopped_there(system: Operations, version: str) -> None:
    async with station(system.edge.url, "CP-1", version, answer=accepts) as client:
        await client.boot()
        task = await system.give(
            "CP-1", "start_charging", token_uid="CARD", evse_id=1, target={"energy_wh": 2000}
        )
        await system.result(task, "accepted")
        charging = Charging(client)
        asked = next(payload for action, payload in client.calls if "Start" in action)
        info = {} if version == "1.6" else {"transactionInfo": {"remoteStartId": asked["remoteStartId"]}}
        await charging.begin(ago(4), 1000, **info)
        assert (await system.result(task))["outcome"] == "started"
        session = await session_of(system, state="waiting", energy_wh=2000)
        await charging.sample(ago(3), 2999, 11_000)
        await charging.sample(ago(2), 3050, 11_000)
        await stopped(client)
        session = await session_of(system, state="stopping", reached="energy_wh")
        await charging.end(ago(1), 3060, "Remote")
        session = await session_of(system, state="reached")
        assert (session["state"], session["energy_wh"]) == ("ended", 2060)
        kinds = {
            event["kind"]
            for event in (await system.http.get(f"/api/v1/sessions/{session['id']}/events")).json()["items"]
        }
        assert {"started", "target", "target_reached", "ended"} <= kinds


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_target_is_set_changed_and_taken_away_while_charging(
    system: Operations, version: str
) -> None:
    async with station(system.edge.url, "CP-1", version, answer=accepts) as client:
        await client.boot()
        charging = Charging(client)
        await charging.begin(ago(10), 0)
        assert (await aim(system, energy_wh=1000))["target"]["state"] == "waiting"
        session = await aim(system, energy_wh=3000)
        await charging.sample(ago(5), 1500)
        gone = await system.http.delete(f"/api/v1/sessions/{session['id']}/target")
        assert gone.status_code == 204
        await charging.sample(ago(4), 3500)
        assert (await system.http.get(f"/api/v1/sessions/{session['id']}")).json()["target"] is None
        await aim(system, duration_s=60)
        await stopped(client)
        assert (await session_of(system, reached="duration_s"))["target"]["state"] == "stopping"
        await charging.end(ago(1), 3600)
        await session_of(system, state="reached")
        refused = await system.http.put(f"/api/v1/sessions/{session['id']}/target", json={"energy_wh": 1})
        assert refused.json()["code"] == "session_over"


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_station_that_is_away_is_told_when_it_is_back_also_after_a_restart(
    postgres_server: str, version: str
) -> None:
    dsn = migrated_database(postgres_server)
    async with operations_on(dsn) as first:
        await prepare(first)
        async with station(first.edge.url, "CP-1", version, answer=accepts) as client:
            await client.boot()
            charging = Charging(client)
            await charging.begin(ago(10), 0)
        await aim(first, duration_s=300)
        await session_of(first, state="stopping")
    async with (
        operations_on(dsn) as second,
        station(second.edge.url, "CP-1", version, answer=accepts) as client,
    ):
        await client.boot()
        await stopped(client)
        charging.client = client
        await charging.end(ago(1), 900)
        await session_of(second, state="reached")
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def test_a_target_reached_while_the_server_was_down_is_kept(postgres_server: str) -> None:
    dsn = migrated_database(postgres_server)
    async with operations_on(dsn) as first:
        await prepare(first)
        async with station(first.edge.url, "CP-1", "2.0.1", answer=accepts) as client:
            await client.boot()
            charging = Charging(client)
            await charging.begin(ago(10), 0)
            await aim(first, energy_wh=500)
    async with (
        operations_on(dsn) as second,
        station(second.edge.url, "CP-1", "2.0.1", answer=accepts) as client,
    ):
        await client.boot()
        charging.client = client
        await charging.sample(ago(5), 400, offline=True)
        await charging.sample(ago(4), 700, offline=True)
        await stopped(client)
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def test_a_stop_that_is_refused_is_given_again(
    system: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotwire.domain.supervision.steer._RETRY_S", (0.1, 0.1))
    answers = {"status": "Rejected"}
    async with station(system.edge.url, "CP-1", "1.6", answer=lambda action, payload: answers) as client:
        await client.boot()
        charging = Charging(client)
        await charging.begin(ago(10), 0)
        await aim(system, duration_s=1)
        await stopped(client, 2)
        session = await session_of(system, state="missed")
        assert session["target"]["detail"] == "rejected"
        assert session["state"] == "active"


async def test_the_meter_is_read_where_the_target_should_be(system: Operations) -> None:
    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if action == "TriggerMessage":
            sampling.append(asyncio.create_task(charging.sample(ago(0), 1001, 36_000)))
        return {"status": "Accepted"}

    sampling: list[asyncio.Task[None]] = []
    async with station(system.edge.url, "CP-1", "2.0.1", answer=answer) as client:
        await client.boot()
        charging = Charging(client)
        await charging.begin(ago(10), 0)
        await aim(system, energy_wh=1000)
        await charging.sample(ago(0), 990, 36_000)  # 10 Wh are left: one second
        await stopped(client)
        assert ("TriggerMessage", "TransactionEvent") in [
            (action, payload.get("requestedMessage")) for action, payload in client.calls
        ]
        await asyncio.gather(*sampling)


@pytest.mark.parametrize(
    "target", [{}, {"energy_wh": -5}, {"kwh": 5}, {"until": "2020-01-01T00:00:00Z"}, {"soc_percent": 120}]
)
async def test_an_impossible_target_is_refused(system: Operations, target: dict[str, Any]) -> None:
    async with station(system.edge.url, "CP-1", "2.0.1", answer=accepts) as client:
        await client.boot()
        await Charging(client).begin(ago(10), 0)
        session = await session_of(system)
        answer = await system.http.put(f"/api/v1/sessions/{session['id']}/target", json=target)
        assert answer.status_code == 422, answer.text
