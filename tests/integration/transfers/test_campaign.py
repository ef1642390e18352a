"""A firmware campaign over 500 stations: it pauses by its rule, goes on, and survives a kill of the server."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from pilotwire.db.engine import asyncpg_dsn
from tests.support.edge import migrated_database
from tests.support.fleet import Fleet
from tests.support.operations import operations
from tests.support.postgres import drop_database
from tests.support.server_process import ServerProcess, add_stations

KEY = "pw_test-key-of-the-campaign-000001"
COUNT = 500
CONTENT = bytes(range(256)) * 64


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_500_stations_pause_at_the_rule_and_end_with_a_result_each(postgres_server: str) -> None:
    async with operations(postgres_server) as system:
        fleet = Fleet(COUNT, failing=lambda number: number % 33 == 20)  # 3 %
        await system.edge.add_stations(*fleet.identities)
        image = await uploaded(system.http)
        async with fleet.connected(system.edge.url):
            task = await system.give_many(
                "update_firmware",
                image_id=image,
                stations=fleet.identities,
                concurrency=100,
                confirm_within_s=30,
                # 1 % and 10 % go well enough; of the 40 in the third wave one fails, and 99 % are wanted.
                waves=[
                    {"percent": 1},
                    {"percent": 10, "success_percent": 90},
                    {"count": 40, "success_percent": 99},
                    {"success_percent": 90},
                ],
            )
            paused = await system.until(task, lambda each: each["state"] == "paused", 60)
            assert paused["pause_reason"].startswith("wave 3: ")
            assert paused["wave"] == 3
            await asyncio.sleep(1)
            assert len(fleet.ordered) <= 5 + 50 + 40
            await system.http.post(f"/api/v1/tasks/{task}/resume")
            done = await system.until(task, lambda each: each["state"] == "done", 120)
    results = {each["station_id"]: each for each in done["results"]["items"]}
    assert set(results) == set(fleet.identities)
    for number, identity in enumerate(fleet.identities):
        expected = "failed" if fleet.failing(number) else "done"
        assert results[identity]["state"] == expected, results[identity]
    assert max(fleet.ordered.values()) == 1
    assert (done["succeeded"], done["failed"]) == (COUNT - fleet.failures, fleet.failures)
    assert [each["total"] for each in done["waves"]] == [5, 50, 40, 405]


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_kill_in_the_middle_does_no_station_twice_and_forgets_none(
    postgres_server: str, tmp_path: Path
) -> None:
    dsn = migrated_database(postgres_server)
    fleet = Fleet(COUNT, failing=lambda number: number % 33 == 20)
    await add_stations(dsn, fleet.identities)
    first = await ServerProcess.start(dsn, tmp_path, KEY)
    headers = {"Authorization": f"Bearer {KEY}"}
    ports = (first.http_port, first.ocpp_port)
    async with httpx.AsyncClient(base_url=first.url, headers=headers, timeout=30) as http:
        image = await uploaded(http)
        async with fleet.connected(first.stations_url):
            body = {
                "command": "update_firmware",
                "image_id": image,
                "stations": fleet.identities,
                "concurrency": 60,
                "confirm_within_s": 30,
                "waves": [
                    {"percent": 1},
                    {"percent": 10, "success_percent": 50},
                    {"success_percent": 50},
                ],
            }
            task = (await http.post("/api/v1/commands", json=body)).json()["task_id"]
            async with asyncio.timeout(180):
                await fleet.has_ordered(COUNT // 3)
            await first.kill()
            halfway = sum(each.updated for each in fleet.stations)
            assert halfway < COUNT
            second = await ServerProcess.start(dsn, tmp_path, KEY, ports)
            try:
                found = await settled(http, task, {})
                # What had been marked as sent, and perhaps was not: nobody has told of it, so that its time ends.
                quiet = [
                    each["station_id"]
                    for each in found["results"]["items"]
                    if each["outcome"] == "unanswered"
                ]
                assert not set(quiet) & set(fleet.ordered)
                await in_database(
                    dsn,
                    "UPDATE command SET follow_until = now() WHERE state = 'accepted' AND outcome = 'unanswered'",
                )
                found = await settled(http, task, {"state": "done"})
            finally:
                second.process.terminate()
                await second.process.wait()
    states = Counter(each["state"] for each in found["results"]["items"])
    assert sum(states.values()) == COUNT
    assert max(fleet.ordered.values()) == 1, [one for one, times in fleet.ordered.items() if times > 1]
    by_identity = {each["station_id"]: each for each in found["results"]["items"]}
    for number, identity in enumerate(fleet.identities):
        result = by_identity[identity]
        if result["state"] == "unknown":  # marked as sent when the server died, and never told of
            assert identity not in fleet.ordered or not fleet.stations[number].updated
            continue
        assert result["state"] == ("failed" if fleet.failing(number) else "done"), result
    assert states["unknown"] <= 60
    drop_database(postgres_server, urlsplit(dsn).path.lstrip("/"))


async def settled(http: httpx.AsyncClient, task: str, wanted: dict[str, str]) -> dict[str, Any]:
    """Wait until nothing of a task moves any more by itself."""
    async with asyncio.timeout(400):
        while True:
            found: dict[str, Any] = (await http.get(f"/api/v1/tasks/{task}?limit=1000")).json()
            moving = [
                each
                for each in found["results"]["items"]
                if each["state"] in ("queued", "sent", "accepted") and each["outcome"] != "unanswered"
            ]
            if not moving and wanted.items() <= found.items():
                return found
            assert found["state"] in ("running", "done"), found["pause_reason"]
            await asyncio.sleep(0.5)


async def in_database(dsn: str, statement: str) -> None:
    """Change something behind the server's back."""
    connection = await asyncpg.connect(asyncpg_dsn(dsn))
    await connection.execute(statement)
    await connection.close()


async def uploaded(http: httpx.AsyncClient) -> str:
    """Add the firmware of the campaign."""
    body = {"vendor": "Acme", "version": "2.1.0", "file_name": "fw-2.1.0.bin"}
    image: dict[str, Any] = (await http.post("/api/v1/firmware", json=body)).json()
    answer = await http.put(f"/api/v1/firmware/{image['id']}/content", content=CONTENT)
    assert answer.status_code == 200, answer.text
    return str(image["id"])
