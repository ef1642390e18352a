"""Ending a server: asked politely, then firmly, and never leaving a part of it behind."""

import asyncio
import signal
from collections.abc import Callable
from time import monotonic

from pilotwire.db.embedded.errors import ServerStartError
from pilotwire.db.embedded.processes import Process, is_alive, list_cluster_processes, signal_process

__all__ = ["clear_orphans", "stop"]

_POLL_S = 0.02
_ASK_AGAIN_S = 0.5
# A fast shutdown writes a checkpoint, on a slow disk the work of minutes; giving up costs a recovery later.
FAST_SHUTDOWN_S = 120.0
IMMEDIATE_SHUTDOWN_S = 10.0
# Orphans of a killed postmaster end by themselves at once, unless they are busy computing.
ORPHANS_S = 3.0
KILLED_S = 10.0


async def stop(process: Process, cluster_name: str, tell: Callable[[str], None]) -> None:
    """Shut a server down: fast, which loses nothing; if it does not end, by force, which costs a recovery."""
    deadline = monotonic() + FAST_SHUTDOWN_S
    ended = False
    while not ended and monotonic() < deadline:
        # Asked again and again: a process that has just been started does not listen yet.
        signal_process(process, signal.SIGINT)
        ended = await _ended([process], min(_ASK_AGAIN_S, FAST_SHUTDOWN_S))
    if not ended:
        tell(
            f"PostgreSQL (process {process.pid}) did not stop in {FAST_SHUTDOWN_S:.0f} s; "
            "stopping it without a checkpoint"
        )
        signal_process(process, signal.SIGQUIT)
        if not await _ended([process], IMMEDIATE_SHUTDOWN_S):
            tell(f"PostgreSQL (process {process.pid}) does not react; killing it")
            signal_process(process, signal.SIGKILL)
    await clear_orphans(cluster_name, tell)


async def clear_orphans(cluster_name: str, tell: Callable[[str], None]) -> None:
    """Wait for what a killed server left behind, and end what does not go: none can start beside it.

    To end them is safe: what they had committed is in the write-ahead log, and nobody awaits their answers.

    Raises: ServerStartError if a process cannot be ended, as when the disk under it hangs.
    """
    for number, patience_s in ((None, ORPHANS_S), (signal.SIGQUIT, ORPHANS_S), (signal.SIGKILL, KILLED_S)):
        left = await asyncio.to_thread(list_cluster_processes, cluster_name)
        if not left:
            return
        if number is not None:
            tell(f"ending {len(left)} process(es) that a killed PostgreSQL left behind ({number.name})")
            for process in left:
                signal_process(process, number)
        await _ended(left, patience_s)
    left = await asyncio.to_thread(list_cluster_processes, cluster_name)
    if left:
        pids = ", ".join(str(process.pid) for process in left)
        raise ServerStartError(
            f"process(es) {pids} of a killed PostgreSQL do not end; the disk may be hanging"
        )


async def _ended(processes: list[Process], patience_s: float) -> bool:
    deadline = monotonic() + patience_s
    while any(is_alive(process) for process in processes):
        if monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True
