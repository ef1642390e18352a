"""A disk that is full: nothing is acknowledged that is not kept, and with room again everything goes on by itself."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.edge import running_edge
from tests.support.small_disk import small_file_system
from tests.support.stations import Station, station

STATIONS = 6
ROOM_LEFT = 512 * 1024
# What cannot be compressed, so that the disk is full soon.
LONGEST_TEXT = 3000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with 400 MB."""
    with small_file_system(tmp_path / "disk", "400m") as directory:
        yield directory


async def test_a_full_disk_is_only_a_pause(small_disk: Path) -> None:
    async with AsyncExitStack() as stack:
        edge = await stack.enter_async_context(running_edge("", data_dir=small_disk))
        names = [f"FULL-{number}" for number in range(STATIONS)]
        await edge.add_stations(*names)
        fleet = [await stack.enter_async_context(station(edge.url, name, "1.6")) for name in names]
        await asyncio.gather(*(cp.boot() for cp in fleet))
        answered: set[str] = set()
        stop = asyncio.Event()

        async def live(cp: Station, name: str) -> None:
            count = 0
            while not stop.is_set():
                count += 1
                message_id = f"{name}-{count}"
                text = os.urandom(LONGEST_TEXT // 2).hex()
                transfer = {"vendorId": "org.example", "data": text}
                await cp.call("DataTransfer", transfer, message_id=message_id)
                answered.add(message_id)

        lives = [asyncio.create_task(live(cp, name)) for cp, name in zip(fleet, names, strict=True)]
        async with asyncio.timeout(30):
            while len(answered) < 20 * STATIONS:  # noqa: ASYNC110 - the state of other tasks
                await asyncio.sleep(0.01)
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            file.write(bytes(max(0, shutil.disk_usage(small_disk).free - ROOM_LEFT)))
        async with asyncio.timeout(60):
            while edge.edge.writer.available:  # noqa: ASYNC110 - the state of other tasks
                await asyncio.sleep(0.01)
            before = -1
            while before != len(answered):  # the lanes do not run into it at the same time
                before = len(answered)
                await asyncio.sleep(1.5)
        assert not edge.edge.writer.available
        assert not any(task.done() for task in lives)
        assert all(cp.socket.close_code is None for cp in fleet)

        ballast.unlink()
        async with asyncio.timeout(60):
            while len(answered) < before + 20 * STATIONS:  # noqa: ASYNC110 - the state of other tasks
                await asyncio.sleep(0.01)
        stop.set()
        await asyncio.gather(*lives)
        assert edge.edge.writer.available
        assert edge.edge.writer.poisoned == 0
        rows = await edge.rows("SELECT message_id FROM frame WHERE action = 'DataTransfer'")
        kept = [row["message_id"] for row in rows]
        assert len(kept) == len(set(kept))
        assert answered == set(kept)
