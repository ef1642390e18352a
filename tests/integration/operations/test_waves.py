"""Tasks in waves, within maintenance windows, for idle stations: with stations of plain frames."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.operations import Operations, operations
from tests.support.stations import Station, moment, station

ACCEPTED = {"status": "Accepted"}


@pytest.fixture
async def system(postgres_server: str) -> AsyncIterator[Operations]:
    async with operations(postgres_server) as made:
        yield made


@asynccontextmanager
async def stations(
    system: Operations, count: int, refusing: set[int] = frozenset()
) -> AsyncIterator[list[Station]]:  # type: ignore[assignment]
    """Connect N-0, N-1, ...; those in `refusing` refuse what they are asked."""
    identities = [f"N-{number}" for number in range(count)]
    await system.edge.add_stations(*identities)
    async with AsyncExitStack() as stack:
        made = []
        for number, identity in enumerate(identities):
            said = {"status": "Rejected"} if number in refusing else ACCEPTED
            cp = await stack.enter_async_context(
                station(system.edge.url, identity, "1.6", answer=lambda *_, said=said: said)
            )
            await cp.boot()
            made.append(cp)
        await asyncio.sleep(0.4)
        yield made


def cleared(cp: Station) -> int:
    """How often a station was asked to clear its cache; the server reads settings by itself too."""
    return sum(action == "ClearCache" for action, _ in cp.calls)


def names(count: int) -> list[str]:
    return [f"N-{number}" for number in range(count)]


async def test_waves_follow_each_other(system: Operations) -> None:
    async with stations(system, 10) as made:
        task = await system.give_many(
            "clear_cache",
            stations=names(10),
            waves=[{"percent": 10}, {"count": 3, "wait_s": 1}],
            expires_in_s=60,
        )
        paused = await system.until(task, lambda each: each["wave"] == 2)
        assert paused["waves"][0]["passed_at"] is not None
        waiting = await system.until(task, lambda each: each["next_wave_at"] is not None)
        assert [cleared(cp) for cp in made] == [1] * 4 + [0] * 6
        assert [each["wave"] for each in waiting["results"]["items"]] == [1, 2, 2, 2, 3, 3, 3, 3, 3, 3]
        done = await system.until(task, lambda each: each["state"] == "done")
    assert [(each["total"], each["succeeded"]) for each in done["waves"]] == [(1, 1), (3, 3), (6, 6)]
    opened = [datetime.fromisoformat(each["opened_at"]) for each in done["waves"]]
    assert opened[2] - datetime.fromisoformat(done["waves"][1]["passed_at"]) >= timedelta(seconds=1)
    late = datetime.fromisoformat(done["results"]["items"][9]["expires_at"])
    assert abs(late - opened[2] - timedelta(seconds=60)) < timedelta(seconds=5)


async def test_a_wave_that_cannot_pass_pauses_and_resume_lets_it(system: Operations) -> None:
    async with stations(system, 8, refusing={1}) as made:
        task = await system.give_many(
            "clear_cache", stations=names(8), concurrency=1, waves=[{"count": 4, "success_percent": 90}, {}]
        )
        paused = await system.until(task, lambda each: each["state"] == "paused")
        assert paused["pause_reason"] == "wave 1: 1 of 4 failed, and 90 % are to succeed"
        await asyncio.sleep(0.3)
        assert [cleared(cp) for cp in made] == [1, 1, 0, 0, 0, 0, 0, 0]
        resumed = (await system.http.post(f"/api/v1/tasks/{task}/resume")).json()
        assert (resumed["state"], resumed["pause_reason"]) == ("running", "")
        done = await system.until(task, lambda each: each["state"] == "done")
    assert (done["succeeded"], done["failed"]) == (7, 1)
    assert [cleared(cp) for cp in made] == [1] * 8


async def test_pausing_by_hand(system: Operations) -> None:
    async with stations(system, 4) as made:
        task = await system.give_many("clear_cache", stations=names(4), waves=[{"count": 1, "wait_s": 2}, {}])
        await system.until(task, lambda each: each["next_wave_at"] is not None)
        paused = (await system.http.post(f"/api/v1/tasks/{task}/pause")).json()
        assert (paused["state"], paused["pause_reason"]) == ("paused", "by key:operator")
        again = await system.http.post(f"/api/v1/tasks/{task}/pause")
        assert again.status_code == 409
        await asyncio.sleep(2.3)
        assert sum(cleared(cp) for cp in made) == 1
        await system.http.post(f"/api/v1/tasks/{task}/resume")
        await system.until(task, lambda each: each["state"] == "done")


async def test_an_offline_station_does_not_hold_up_the_next_wave(system: Operations) -> None:
    await system.edge.add_stations("GONE")
    async with stations(system, 5):
        task = await system.give_many(
            "clear_cache", stations=["GONE", *names(5)], waves=[{"count": 4, "success_percent": 75}, {}]
        )
        open_ = await system.until(task, lambda each: each["succeeded"] == 5)
        assert (open_["state"], open_["wave"]) == ("running", 2)
        removed = await system.edge.rows("DELETE FROM station WHERE identity = 'GONE' RETURNING id")
        assert removed
        # The removal itself goes by SQL here, so that the runner is told as the use case would.
        from pilotwire.domain.stations.ports import StationRemoved

        system.edge.edge.bus.publish(StationRemoved(removed[0]["id"], "GONE"))
        done = await system.until(task, lambda each: each["state"] == "done")
    assert done["waves"][0]["total"] == 3


async def test_a_closed_window_holds_back_until_it_opens(system: Operations) -> None:
    async with stations(system, 1) as made:
        soon = datetime.now(UTC) + timedelta(hours=2)
        window = {"from": f"{soon:%H:%M}", "to": f"{soon + timedelta(hours=1):%H:%M}"}
        task = await system.give_many("clear_cache", stations=["N-0"], window=window)
        await asyncio.sleep(0.5)
        held = (await system.task(task))["results"]["items"][0]
        opens = datetime.fromisoformat(held["not_before"])
        assert (held["state"], f"{opens.astimezone(UTC):%H:%M}") == ("queued", window["from"])
        assert cleared(made[0]) == 0
        # A window that has closed again when the command's turn comes: it is put off to the next.
        await system.edge.rows("UPDATE command SET not_before = NULL")
        another = await system.give_many("clear_cache", stations=["N-0"])
        await system.until(another, lambda each: each["state"] == "done")
        held = (await system.until(task, lambda each: each["results"]["items"][0]["outcome"] != ""))[
            "results"
        ]["items"][0]
        assert (held["state"], held["outcome"]) == ("queued", "waits_for_window")
        assert datetime.fromisoformat(held["not_before"]) == opens
        assert cleared(made[0]) == 1
        # And open it goes out.
        await system.edge.rows(
            'UPDATE task SET maintenance_window = \'{"from": "00:00", "to": "00:00"}\' WHERE id = $1', task
        )
        await system.edge.rows("UPDATE command SET not_before = NULL WHERE task_id = $1", task)
        await system.give_many("clear_cache", stations=["N-0"])
        await system.until(task, lambda each: each["state"] == "done")


async def test_only_when_idle(system: Operations) -> None:
    await system.edge.add_token("TAG1")
    async with stations(system, 1) as made:
        cp = made[0]
        start = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0, "timestamp": moment()}
        number = (await cp.call("StartTransaction", start))["transactionId"]
        await asyncio.sleep(0.3)
        task = await system.give_many("clear_cache", stations=["N-0"], only_idle=True)
        held = await system.until(task, lambda each: each["results"]["items"][0]["outcome"] != "")
        assert held["results"]["items"][0]["outcome"] == "waits_for_idle"
        stop = {"transactionId": number, "meterStop": 9, "timestamp": moment(60)}
        await cp.call("StopTransaction", stop)
        await system.until(task, lambda each: each["state"] == "done")


@pytest.mark.parametrize(
    ("more", "hint"),
    [
        ({"waves": [{"percent": 1, "count": 1}]}, "waves"),
        ({"waves": [{}, {"percent": 1}]}, "last"),
        ({"waves": []}, "waves"),
        ({"window": {"from": "25:00", "to": "05:00"}}, "window"),
        ({"window": {"from": "22:00"}}, "window"),
    ],
)
async def test_impossible_plans(system: Operations, more: dict[str, Any], hint: str) -> None:
    await system.edge.add_stations("N-0")
    answer = await system.http.post(
        "/api/v1/commands", json={"command": "clear_cache", "stations": ["N-0"], **more}
    )
    assert answer.status_code == 422
    assert hint in answer.json()["detail"]
