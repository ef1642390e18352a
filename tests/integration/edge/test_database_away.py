"""The stations' view of a database that refuses, vanishes and comes back."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets import ConnectionClosed

from tests.support.edge import RunningEdge, running_edge
from tests.support.proxy import commit_proxy
from tests.support.stations import Refused, Station, moment, station

STATIONS = 20


async def identities(edge: RunningEdge, count: int = STATIONS) -> list[str]:
    names = [f"AWAY-{number}" for number in range(count)]
    await edge.add_stations(*names)
    await edge.add_token("TAG1")
    return names


def started(number: int) -> dict[str, Any]:
    return {"connectorId": 1, "idTag": "TAG1", "meterStart": number, "timestamp": moment(number)}


async def stored_ids(edge: RunningEdge) -> list[str]:
    rows = await edge.rows("SELECT message_id FROM frame WHERE direction = 0 AND response IS NOT NULL")
    return [row["message_id"] for row in rows]


async def test_while_it_is_away_nothing_is_answered_and_nobody_disconnected(database: str) -> None:
    async with commit_proxy(database) as (proxy, through), AsyncExitStack() as stack:
        edge = await stack.enter_async_context(running_edge(through))
        names = await identities(edge)
        fleet = [await stack.enter_async_context(station(edge.url, name, "1.6")) for name in names]
        await asyncio.gather(*(cp.boot() for cp in fleet))
        proxy.refuse = True
        proxy.close()
        calls = [
            asyncio.create_task(cp.call("StartTransaction", started(number), message_id=f"start-{number}"))
            for number, cp in enumerate(fleet)
        ]
        done, _ = await asyncio.wait(calls, timeout=1.5)
        assert not done
        # A station that comes now is let in, and waits like the others.
        late = await stack.enter_async_context(station(edge.url, names[0], "1.6"))
        booting = asyncio.create_task(late.boot())
        done, _ = await asyncio.wait([booting], timeout=0.5)
        assert not done
        assert not edge.edge.writer.available
        proxy.refuse = False
        assert (await booting)["status"] == "Accepted"
        answers = await asyncio.gather(*calls[1:])
        # The first station has come anew meanwhile: its old socket is closed, with the answer or without, and it asks again.
        (first,) = await asyncio.gather(calls[0], return_exceptions=True)
        if isinstance(first, dict):
            answers.append(first)
        else:
            assert isinstance(first, (ConnectionError, ConnectionClosed))
        answers.append(await late.call("StartTransaction", started(0), message_id="start-0-again"))
        assert len({answer["transactionId"] for answer in answers}) == STATIONS
        assert all(cp.socket.close_code is None for cp in fleet[1:])
        assert await edge.value("SELECT count(*) FROM session") == STATIONS
        ids = await stored_ids(edge)
        assert len(ids) == len(set(ids))


async def test_killed_postgres_is_only_a_pause(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        edge = await stack.enter_async_context(running_edge("", data_dir=tmp_path))
        names = await identities(edge, 8)
        fleet = [await stack.enter_async_context(station(edge.url, name, "1.6")) for name in names]
        answered: set[str] = set()
        stop = asyncio.Event()

        async def live(cp: Station, name: str) -> None:
            await cp.boot()
            count = 0
            while not stop.is_set():
                count += 1
                message_id = f"{name}-{count}"
                await cp.call("StartTransaction", started(count), message_id=message_id)
                answered.add(message_id)

        lives = [asyncio.create_task(live(cp, name)) for cp, name in zip(fleet, names, strict=True)]
        for _ in range(2):
            before = len(answered)
            while len(answered) < before + 50:  # noqa: ASYNC110 - the state of other tasks
                await asyncio.sleep(0.01)
            pid_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        before = len(answered)
        async with asyncio.timeout(60):
            while len(answered) < before + 200:  # noqa: ASYNC110 - the state of other tasks
                await asyncio.sleep(0.01)
        stop.set()
        await asyncio.gather(*lives)
        ids = await stored_ids(edge)
        assert len(ids) == len(set(ids))
        assert answered <= set(ids)
        assert all(cp.socket.close_code is None for cp in fleet)
        assert await edge.value("SELECT count(*) FROM session") == len(answered)


async def test_a_record_that_is_refused_costs_its_own_station_a_callerror(edge: RunningEdge) -> None:
    await edge.rows("ALTER TABLE security_event ADD CONSTRAINT no_poison CHECK (type <> 'Poison')")
    report = {"type": "Poison", "timestamp": moment()}
    async with station(edge.url, "CP-2", "2.0.1") as calm, station(edge.url, "CP-1", "2.0.1") as cp:
        await cp.boot()
        beats = [asyncio.create_task(calm.call("Heartbeat", {})) for _ in range(50)]
        with pytest.raises(Refused) as refused:
            await cp.call("SecurityEventNotification", report)
        assert refused.value.code == "InternalError"
        assert await cp.close_code() == 1011
        assert all("currentTime" in answer for answer in await asyncio.gather(*beats))
        async with station(edge.url, "CP-1", "2.0.1") as again:
            assert (await again.boot())["status"] == "Accepted"
            assert await again.call("SecurityEventNotification", {**report, "type": "Fine"}) == {}
    rows = await edge.rows("SELECT station_id, records, error FROM quarantine")
    assert [row["station_id"] for row in rows] == [await edge.station_id("CP-1")]
    assert "Poison" in rows[0]["records"]
    assert "no_poison" in rows[0]["error"]


async def test_a_full_queue_stops_the_readers_until_there_is_room(database: str) -> None:
    frames = 300
    async with commit_proxy(database) as (proxy, through), AsyncExitStack() as stack:
        edge = await stack.enter_async_context(running_edge(through))
        names = await identities(edge, 5)
        fleet = [await stack.enter_async_context(station(edge.url, name, "1.6")) for name in names]
        await asyncio.gather(*(cp.boot() for cp in fleet))
        writer, frames_before = edge.edge.writer, edge.edge.switchboard.frames_in
        for lane in writer._lanes:
            lane._capacity, lane._batch_size = 20, 10
        proxy.refuse = True
        proxy.close()
        calls = [asyncio.create_task(cp.call("Heartbeat", {})) for cp in fleet for _ in range(frames)]
        await asyncio.sleep(1)
        # What is not read stays with the stations: 1500 frames were sent.
        assert writer.waiting <= 50
        assert edge.edge.switchboard.frames_in - frames_before < 200
        assert not any(call.done() for call in calls)
        proxy.refuse = False
        answers = await asyncio.gather(*calls)
        assert all("currentTime" in answer for answer in answers)
        assert await edge.value("SELECT count(*) FROM frame WHERE action = 'Heartbeat'") == frames * len(
            fleet
        )


async def test_a_good_end_writes_what_was_taken(database: str) -> None:
    answered: set[str] = set()
    async with AsyncExitStack() as outer:
        async with running_edge(database) as edge:
            names = await identities(edge, 5)
            fleet = [await outer.enter_async_context(station(edge.url, name, "1.6")) for name in names]

            async def live(cp: Station, name: str) -> None:
                for count in range(10**6):
                    try:
                        await cp.call("Heartbeat", {}, message_id=f"{name}-{count}")
                    except (ConnectionError, ConnectionClosed):
                        return
                    answered.add(f"{name}-{count}")

            lives = [asyncio.create_task(live(cp, name)) for cp, name in zip(fleet, names, strict=True)]
            await asyncio.sleep(0.5)
        async with asyncio.timeout(10):
            await asyncio.gather(*lives)
        assert {await cp.close_code() for cp in fleet} == {1001}
    async with running_edge(database) as edge:
        ids = await stored_ids(edge)
        assert len(ids) == len(set(ids))
        assert len(answered) > 10
        assert answered <= set(ids)
        assert await edge.value("SELECT count(*) FROM station_presence WHERE connected") == 0
