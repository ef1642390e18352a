"""Several processes, one server: who may act now, and who is still using it.

Both are `flock` locks, because the kernel gives them up for a process that is killed.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pilotwire.db.embedded.files import open_private_file

__all__ = ["Lease", "exclusive", "list_other_namespaces"]

_POLL_S = 0.02


@asynccontextmanager
async def exclusive(path: Path, waiting: Callable[[str], None] | None = None) -> AsyncIterator[None]:
    """Hold the lock file at `path`; `waiting` is told once if another process holds it."""
    descriptor = open_private_file(path)
    try:
        while not _try_lock(descriptor):
            if waiting is not None:
                waiting("another process is starting or stopping this PostgreSQL; waiting for it")
                waiting = None
            await asyncio.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)


class Lease:
    """The mark of one living user of a server: a locked file that says who it is.

    Taken and given back only while the lock file is held, so that two that leave together cannot both see the
    other.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / f"{os.getpid()}-{uuid4().hex[:8]}.lease"
        self._descriptor = open_private_file(self._path)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.write(
            self._descriptor, json.dumps({"pid": os.getpid(), "pid_namespace": _pid_namespace()}).encode()
        )

    def release(self) -> None:
        """Give the lease back."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def others(self) -> int:
        """Count the other living users and clear away the leases of dead ones."""
        return len(_living(self._path.parent, without=self._path))


def list_other_namespaces(directory: Path) -> list[str]:
    """List the living users that run where we cannot see their server's process: in another container."""
    ours = _pid_namespace()
    return [
        who
        for who in _living(directory, without=None)
        if ours and json.loads(who or "{}").get("pid_namespace") != ours
    ]


def _living(directory: Path, without: Path | None) -> list[str]:
    living = []
    for path in directory.glob("*.lease"):
        if path == without:
            continue
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            continue
        try:
            if _try_lock(descriptor):
                path.unlink(missing_ok=True)
            else:
                living.append(os.read(descriptor, 1000).decode(errors="replace"))
        finally:
            os.close(descriptor)
    return living


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_namespace() -> str:
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115  (the target is a name, not a path)
    return ""
