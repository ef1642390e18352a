"""The embedded server's deaths: recovery as long as it takes, restart by itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from pilotwire.db.embedded import EmbeddedPostgres, ServerEvent, readiness, shutdown
from pilotwire.db.embedded.cluster import cluster_name
from pilotwire.db.embedded.processes import list_cluster_processes, signal_process

SETTINGS = {"shared_buffers": "32MB"}


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110  (what is waited for is another process)
            await asyncio.sleep(0.005)


@asynccontextmanager
async def watched(server: EmbeddedPostgres) -> AsyncIterator[list[ServerEvent]]:
    events: list[ServerEvent] = []
    watch = asyncio.ensure_future(server.watch(events.append))
    try:
        yield events
    finally:
        await server.stop()
        await asyncio.wait_for(watch, 10)


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def kill_all(data_dir: Path) -> None:
    for process in list_cluster_processes(cluster_name(data_dir / "cluster")):
        signal_process(process, signal.SIGKILL)


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


async def test_recovery_is_waited_for_however_long_it_takes(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_TELL_EVERY_S", 0.2)
    killed = EmbeddedPostgres(data_dir, settings=SETTINGS | {"wal_compression": "off"})
    dsn = await killed.start()
    await fetch(
        dsn,
        "CREATE TABLE frames AS SELECT n, repeat(md5(n::text), 8) AS body FROM generate_series(1, 200000) n",
    )
    kill_all(data_dir)
    killed_users = list((data_dir / "users").iterdir())
    assert killed_users

    said: list[str] = []
    server = EmbeddedPostgres(data_dir, settings=SETTINGS)
    name = cluster_name(data_dir / "cluster")
    starting = asyncio.ensure_future(server.start(said.append))
    recovering: list[int] = []

    def startup_runs() -> bool:
        recovering[:] = [p.pid for p in list_cluster_processes(name) if ": startup" in title(p.pid)]
        return bool(recovering) or starting.done()

    await until(startup_runs)
    assert recovering, "recovery ended before it could be halted"
    # A disk that stands still for a while is not a reason to give up, nor to say nothing.
    os.kill(recovering[0], signal.SIGSTOP)
    await asyncio.sleep(1.5)
    assert not starting.done()
    assert sum("recovering" in line for line in said) >= 3
    os.kill(recovering[0], signal.SIGCONT)
    await starting
    assert await fetch(server.dsn, "SELECT count(*) FROM frames") == 200_000
    await server.stop()
    await killed.stop()


async def test_killed_postmaster_is_replaced_and_what_was_committed_is_there(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "ORPHANS_S", 0.3)
    server = EmbeddedPostgres(data_dir, settings=SETTINGS)
    dsn = await server.start()
    async with watched(server) as events:
        await fetch(dsn, "CREATE TABLE kept (number int PRIMARY KEY)")
        for number in (1, 2):
            await fetch(dsn, f"INSERT INTO kept VALUES ({number})")
            busy = await asyncpg.connect(dsn)
            # It computes, and so does not notice that its postmaster is gone.
            computing = asyncio.ensure_future(
                busy.fetchval("SELECT sum(sqrt(n)) FROM generate_series(1, 10^10) n")
            )
            await asyncio.sleep(0.2)
            pid = server.pid
            assert pid is not None
            events.clear()
            os.kill(pid, signal.SIGKILL)
            await until(lambda: len(events) == 2)
            assert [(event.kind, event.attempt) for event in events] == [("lost", 0), ("restarted", 1)]
            assert events[0].pid == pid
            assert events[1].pid == server.pid != pid
            assert server.dsn == dsn
            assert await fetch(dsn, "SELECT max(number) FROM kept") == number
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
                await computing
            busy.terminate()


async def test_two_users_restore_one_server(data_dir: Path) -> None:
    first, second = (
        EmbeddedPostgres(data_dir, settings=SETTINGS),
        EmbeddedPostgres(data_dir, settings=SETTINGS),
    )
    dsn = await first.start()
    assert await second.start() == dsn
    async with watched(first) as one, watched(second) as two:
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: len(one) == len(two) == 2)
        assert sorted([one[1].kind, two[1].kind]) == ["attached", "restarted"]
        assert first.pid == second.pid
        assert first.dsn == second.dsn == dsn
        assert await fetch(dsn, "SELECT 1") == 1


async def test_restart_that_fails_is_told_and_tried_again(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotwire.db.embedded.server._BACK_OFF_S", (0.0, 0.1, 0.2))
    server = EmbeddedPostgres(data_dir, settings=SETTINGS)
    dsn = await server.start()
    control = data_dir / "cluster" / "global" / "pg_control"
    hidden = control.with_name("hidden")
    async with watched(server) as events:
        assert server.pid is not None
        control.rename(hidden)
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: len(events) >= 3)
        assert [event.kind for event in events[:3]] == ["lost", "restart_failed", "restart_failed"]
        assert [event.attempt for event in events[:3]] == [0, 1, 2]
        assert "pg_control" in events[1].detail
        hidden.rename(control)
        await until(lambda: events[-1].kind == "restarted")
        assert await fetch(dsn, "SELECT 1") == 1


async def test_stop_during_a_restart_ends_everything(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, settings=SETTINGS)
    await server.start()
    async with watched(server) as events:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        await until(lambda: bool(events))
    assert list_cluster_processes(cluster_name(data_dir / "cluster")) == []
    assert events[0].kind == "lost"
    assert server.pid is None


async def test_crash_of_one_session_is_postgresqls_own_affair(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, settings=SETTINGS)
    dsn = await server.start()
    async with watched(server) as events:
        pid = server.pid
        session = await asyncpg.connect(dsn)
        os.kill(await session.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
        # PostgreSQL starts its processes anew by itself; a start meanwhile waits for that.
        other = EmbeddedPostgres(data_dir)
        assert await other.start() == dsn
        assert other.pid == pid
        await other.stop()
        session.terminate()
        assert events == []
