"""What the tests of the embedded server share."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from pilotwire.db.embedded.cluster import cluster_name
from pilotwire.db.embedded.processes import list_cluster_processes, signal_process
from tests.support.postgres import shared_server

ROOT = Path(__file__).parents[3]


class UserProcess:
    """A process of `tests.support.embedded_user`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def report(self) -> dict[str, object]:
        """Return what it says once its server is ready or has failed."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        assert line, "the process ended without a word"
        report: dict[str, object] = json.loads(line)
        return report

    async def leave(self) -> None:
        """Let it stop in good order."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert await asyncio.wait_for(self._process.wait(), 60) == 0

    async def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        await self._process.wait()


UserStarter = Callable[..., Awaitable[UserProcess]]


@pytest.fixture
async def start_user() -> AsyncIterator[UserStarter]:
    """Start further users of a data directory, as `start_user(data_dir, uid=...)`."""
    processes = []

    async def start(data_dir: Path, *, uid: int | None = None) -> UserProcess:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.embedded_user",
            str(data_dir),
            str(os.geteuid() if uid is None else uid),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={key: value for key, value in os.environ.items() if key != "XDG_RUNTIME_DIR"},
        )
        processes.append(process)
        return UserProcess(process)

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def new_data_dir(tmp_path: Path) -> Iterator[Path]:
    """A place for a server's first start; whatever still runs in it after the test is ended."""
    path = tmp_path / "data"
    yield path
    if (path / "cluster").exists():
        for process in list_cluster_processes(cluster_name(path / "cluster")):
            signal_process(process, signal.SIGCONT)
            signal_process(process, signal.SIGKILL)


@pytest.fixture(scope="session")
def made_cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that was made, used and stopped; to copy, which is quicker than to make one."""
    path = tmp_path_factory.mktemp("made")
    with shared_server(path):
        pass
    return path / "cluster"


@pytest.fixture
def data_dir(new_data_dir: Path, made_cluster: Path) -> Path:
    """A server's directory with a database in it."""
    shutil.copytree(made_cluster, new_data_dir / "cluster")
    return new_data_dir
