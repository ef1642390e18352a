"""Ten thousand fuzzed frames: nothing falls over, nobody is disconnected, neighbours are served meanwhile."""

import asyncio
from contextlib import suppress

import msgspec
import pytest
from websockets import ConnectionClosed

from tests.support.edge import RunningEdge
from tests.support.fuzz import fuzzed_frames
from tests.support.stations import station

FRAMES = {"1.6": 4000, "2.0.1": 3000, "2.1": 3000}
AT_ONCE = 50


@pytest.mark.parametrize("version", FRAMES)
async def test_fuzzed_frames_harm_nobody(edge: RunningEdge, version: str) -> None:
    frames = list(fuzzed_frames(version, 1, FRAMES[version]))
    stop = asyncio.Event()

    async def neighbour() -> int:
        beats = 0
        async with station(edge.url, "CP-2", "1.6") as calm:
            while not stop.is_set():
                await calm.call("Heartbeat", {})
                beats += 1
        return beats

    beating = asyncio.create_task(neighbour())
    try:
        async with station(edge.url, "CP-1", version) as wild:
            await wild.boot()
            for start in range(0, len(frames), AT_ONCE):
                part = frames[start : start + AT_ONCE]
                with suppress(ConnectionClosed):
                    for frame in part:
                        await wild.send(frame)
                await wild.call("Heartbeat", {})
    finally:
        stop.set()
    assert await beating > FRAMES[version] / AT_ONCE / 2
    assert edge.edge.writer.poisoned == 0
    assert await edge.rows("SELECT * FROM quarantine") == []
    assert await edge.rows("SELECT request, response FROM frame WHERE response LIKE '%InternalError%'") == []
    await everything_is_readable(edge)


async def everything_is_readable(edge: RunningEdge) -> None:
    tables = (
        "frame",
        "session",
        "session_event",
        "sample",
        "connector",
        "connector_status",
        "security_event",
    )
    for table in (*tables, "station", "station_report"):
        await edge.rows(f"SELECT * FROM {table}")
    for row in await edge.rows("SELECT response FROM frame WHERE direction = 0 AND response IS NOT NULL"):
        assert msgspec.json.decode(row["response"])[0] in (3, 4)
