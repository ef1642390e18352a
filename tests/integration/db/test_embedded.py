"""The embedded server's life: first start, sharing, take-over, end."""

import asyncio
import os
import signal
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from pilotwire.db.embedded import (
    DataDirectoryError,
    EmbeddedPostgres,
    IncompatibleDataError,
    ServerStartError,
    readiness,
    shutdown,
)
from pilotwire.db.embedded.cluster import cluster_name
from pilotwire.db.embedded.processes import list_cluster_processes
from tests.integration.db.conftest import UserStarter
from tests.support.small_disk import small_file_system

SMALL = {"shared_buffers": "16MB", "fsync": "off"}


def processes_of(data_dir: Path) -> list[int]:
    cluster = data_dir / "cluster"
    return (
        [process.pid for process in list_cluster_processes(cluster_name(cluster))] if cluster.exists() else []
    )


def socket_directory(dsn: str) -> Path:
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


async def ask(dsn: str, query: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query, *arguments)
    finally:
        await connection.close()


@asynccontextmanager
async def running(data_dir: Path, **settings: str) -> AsyncIterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data_dir, settings=SMALL | settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def test_first_start_makes_a_safe_cluster_that_only_the_socket_leads_to(new_data_dir: Path) -> None:
    said: list[str] = []
    server = EmbeddedPostgres(new_data_dir, settings=SMALL)
    dsn = await server.start(said.append)
    assert said == ["creating the database", "starting PostgreSQL"]
    database = "FROM pg_database WHERE datname = current_database()"
    facts = {
        f"SELECT pg_encoding_to_char(encoding) {database}": "UTF8",
        f"SELECT datlocprovider::text || datlocale {database}": "bC.UTF-8",
        "SHOW data_checksums": "on",
        "SHOW listen_addresses": "",
        "SHOW synchronous_commit": "on",
        "SHOW max_connections": "60",
        "SHOW jit": "off",
        "SHOW shared_buffers": "16MB",
        "SELECT upper('straße öä')": "STRAßE ÖÄ",
    }
    assert {query: await ask(dsn, query) for query in facts} == facts
    directory = socket_directory(dsn)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert "ready to accept connections" in server.log_path.read_text()
    assert server.pid in processes_of(new_data_dir)
    assert server.dsn == dsn
    assert await server.start() == dsn
    await server.stop()
    assert processes_of(new_data_dir) == []
    assert not directory.exists()


async def test_dsn_serves_sqlalchemy_whatever_the_environment_says(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    async with running(data_dir) as server:
        assert await ask(server.dsn, "SELECT 1") == 1
        engine = create_async_engine(server.dsn.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == "pilotwire"
        await engine.dispose()


async def test_data_stays_when_the_last_user_has_left(data_dir: Path) -> None:
    async with running(data_dir) as server:
        await ask(server.dsn, "CREATE TABLE kept AS SELECT 7 AS number")
    async with running(data_dir) as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 7


async def test_last_user_to_leave_stops_the_server(data_dir: Path, start_user: UserStarter) -> None:
    first = EmbeddedPostgres(data_dir, settings=SMALL)
    dsn = await first.start()
    second = await start_user(data_dir)
    assert await second.report() == {"dsn": dsn, "pid": first.pid, "answer": 1}
    await first.stop()
    await first.stop()
    assert await ask(dsn, "SELECT 1") == 1
    await second.leave()
    assert processes_of(data_dir) == []


async def test_killed_user_neither_stops_nor_keeps_the_server(
    data_dir: Path, start_user: UserStarter
) -> None:
    starter = await start_user(data_dir)
    dsn = str((await starter.report())["dsn"])
    server = EmbeddedPostgres(data_dir)
    await server.start()
    await starter.kill()
    assert await ask(dsn, "SELECT 1") == 1
    await server.stop()
    assert processes_of(data_dir) == []
    assert list((data_dir / "users").iterdir()) == []


async def test_orphan_is_taken_over(data_dir: Path, start_user: UserStarter) -> None:
    parent = await start_user(data_dir)
    report = await parent.report()
    await parent.kill()
    said: list[str] = []
    server = EmbeddedPostgres(data_dir)
    assert await server.start(said.append) == report["dsn"]
    assert server.pid == report["pid"]
    assert said == []
    await server.stop()
    assert processes_of(data_dir) == []


async def test_concurrent_first_starts_make_one_server(new_data_dir: Path, start_user: UserStarter) -> None:
    users = [await start_user(new_data_dir) for _ in range(2)]
    reports = [await user.report() for user in users]
    assert reports == [reports[0]] * 2
    await asyncio.gather(*(user.leave() for user in users))
    assert processes_of(new_data_dir) == []


async def test_stranger_with_the_number_of_the_dead_server_is_left_alone(data_dir: Path) -> None:
    async with running(data_dir) as server:
        pid_file = (data_dir / "cluster" / "postmaster.pid").read_text().splitlines()
        assert server.pid == int(pid_file[0])
    owner = (data_dir / "cluster").stat()
    options: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    # PostgreSQL itself believes a process of its own user.
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **options) as stranger:  # noqa: ASYNC220
        (data_dir / "cluster" / "postmaster.pid").write_text(
            "\n".join([str(stranger.pid), *pid_file[1:]]) + "\n"
        )
        async with running(data_dir) as server:
            assert server.pid != stranger.pid
            assert await ask(server.dsn, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


async def test_server_that_lost_its_socket_is_started_anew(
    data_dir: Path, start_user: UserStarter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_UNREACHABLE_S", 0.2)
    parent = await start_user(data_dir)
    report = await parent.report()
    await parent.kill()
    for path in socket_directory(str(report["dsn"])).iterdir():
        path.unlink()
    async with running(data_dir) as server:
        assert server.pid != report["pid"]
        assert await ask(server.dsn, "SELECT 1") == 1


async def test_server_that_does_not_react_is_stopped_all_the_same(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "FAST_SHUTDOWN_S", 0.2)
    monkeypatch.setattr(shutdown, "IMMEDIATE_SHUTDOWN_S", 0.2)
    server = EmbeddedPostgres(data_dir, settings=SMALL)
    await ask(await server.start(), "CREATE TABLE kept AS SELECT 7 AS number")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    await server.stop()
    assert processes_of(data_dir) == []
    async with running(data_dir) as server:
        assert await ask(server.dsn, "SELECT number FROM kept") == 7


@pytest.mark.parametrize("moment", ["creating the database", "starting PostgreSQL"])
async def test_cancelled_start_leaves_nothing_running(new_data_dir: Path, moment: str) -> None:
    def cancel(said: str) -> None:
        if said == moment:
            starting.cancel()

    starting = asyncio.ensure_future(EmbeddedPostgres(new_data_dir, settings=SMALL).start(cancel))
    with suppress(asyncio.CancelledError):
        await starting
    assert starting.cancelled()
    assert processes_of(new_data_dir) == []
    async with running(new_data_dir) as server:
        assert await ask(server.dsn, "SELECT 1") == 1


async def test_half_made_cluster_of_a_crash_is_cleared_away(new_data_dir: Path) -> None:
    leftover = new_data_dir / "cluster.new-x"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18\n")
    async with running(new_data_dir) as server:
        assert await ask(server.dsn, "SELECT 1") == 1
    assert not leftover.exists()


async def test_data_of_another_major_version_is_refused_in_words(data_dir: Path) -> None:
    async with running(data_dir):
        pass
    (data_dir / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(IncompatibleDataError, match=r"is of PostgreSQL 16.*carries PostgreSQL 18.*pg_dump"):
        await EmbeddedPostgres(data_dir).start()
    assert list((data_dir / "users").iterdir()) == []


async def test_what_is_no_cluster_is_refused(new_data_dir: Path) -> None:
    (new_data_dir / "cluster").mkdir(parents=True)
    with pytest.raises(DataDirectoryError, match="not a PostgreSQL data directory"):
        await EmbeddedPostgres(new_data_dir).start()


async def test_start_that_fails_gives_the_last_lines_of_the_log(data_dir: Path) -> None:
    with pytest.raises(ServerStartError, match=r"max_wal_size.*plenty"):
        await EmbeddedPostgres(data_dir, settings={"max_wal_size": "plenty"}).start()


def test_settings_that_would_open_the_server_are_refused(data_dir: Path) -> None:
    with pytest.raises(ValueError, match="listen_addresses"):
        EmbeddedPostgres(data_dir, settings={"listen_addresses": "*"})


async def test_full_disk_during_the_first_start_is_told(tmp_path: Path) -> None:
    with (
        small_file_system(tmp_path / "small", "12m") as small,
        pytest.raises(ServerStartError, match=r"(?s)initdb could not make.*No space left on device"),
    ):
        await EmbeddedPostgres(small / "data").start()
