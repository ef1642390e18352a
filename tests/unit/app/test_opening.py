"""What runs beside is ended, also when it overhears that it was told to end."""

import asyncio
import contextlib

import pytest

from pilotwire.app import opening


async def test_a_task_that_overhears_its_cancellation_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    overheard = 0

    async def deaf() -> None:
        nonlocal overheard
        while True:
            if overheard < 2:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(3600)
                overheard += 1
            else:
                await asyncio.sleep(3600)

    monkeypatch.setattr(opening, "_TOLD_AGAIN_S", 0.01)
    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await opening.cancelled(task)
    assert task.cancelled()
    assert overheard == 2


async def test_what_a_task_ended_with_is_not_raised() -> None:
    async def fails() -> None:
        raise ValueError("broken")

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await opening.cancelled(task)
    assert isinstance(task.exception(), ValueError)
