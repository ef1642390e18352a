"""The files of one PostgreSQL cluster: making them, reading what they say about the server."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotwire.db.embedded.account import Account
from pilotwire.db.embedded.binaries import Binaries
from pilotwire.db.embedded.errors import DataDirectoryError, IncompatibleDataError, ServerStartError
from pilotwire.db.embedded.sockets import PORT

__all__ = [
    "DATABASE",
    "USER",
    "PidFile",
    "cluster_argument",
    "cluster_name",
    "create_cluster",
    "current_log",
    "last_lines",
    "read_pid_file",
    "require_compatible",
    "require_free",
    "server_arguments",
    "take_ownership",
]

USER = DATABASE = "pilotwire"

# For a machine of two cores and a few gigabytes that commits groups of small rows as fast as its disk does.
_DEFAULTS = {
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "wal_buffers": "16MB",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "max_connections": "60",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
    # In a long recovery these lines are what tells the person at the screen that it goes on.
    "log_startup_progress_interval": "1s",
    # One file per weekday: a week is kept, and no more.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}
_DECIDED_HERE = frozenset(
    {
        "listen_addresses",
        "unix_socket_directories",
        "unix_socket_permissions",
        "port",
        "cluster_name",
        "data_directory",
    }
)


@dataclass(frozen=True, slots=True)
class PidFile:
    """What a running server, or one that was killed, says in `postmaster.pid`."""

    pid: int
    socket_directory: Path | None
    status: str


def cluster_name(cluster: Path) -> str:
    """Return the name under which the cluster's processes run.

    It comes from the directory itself and not from its path, so that a copy has another one and a bind mount
    has the same.
    """
    found = cluster.stat()
    return "pilotwire-" + hashlib.sha256(f"{found.st_dev}:{found.st_ino}".encode()).hexdigest()[:12]


def read_pid_file(cluster: Path) -> PidFile | None:
    """Read `postmaster.pid`; a file that is only half written counts as absent."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid = abs(int(lines[0]))
    except (FileNotFoundError, ValueError, IndexError):
        return None
    lines += [""] * 8
    return PidFile(pid, Path(lines[4]) if lines[4] else None, lines[7].strip())


def cluster_argument(cluster: Path, account: Account) -> str:
    """Return the path by which the account reaches the cluster when it is started in it.

    A directory in which one stands can be entered through /proc even if its parents let nobody pass, as
    root's home does not.
    """
    return str(cluster) if account.can_enter(cluster) else "/proc/self/cwd"


def create_cluster(cluster: Path, binaries: Binaries, account: Account, *, sync: bool) -> None:
    """Make a new cluster. It has its name only when it is complete, so that a crash leaves no half of one.

    Raises: ServerStartError with the last words of initdb.
    """
    home = cluster.parent
    for leftover in home.glob("cluster.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix="cluster.new-", dir=home))
    try:
        if account.switch:
            os.chown(draft, account.uid, account.gid, follow_symlinks=False)
        made = account.run(
            [
                binaries.program("initdb"),
                f"--pgdata={cluster_argument(draft, account)}",
                f"--username={USER}",
                "--encoding=UTF8",
                # PostgreSQL's own Unicode rules: the same order on every system, whatever its C library.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--data-checksums",
                # The wall is the socket's directory, which only the account can enter.
                "--auth-local=trust",
                "--auth-host=reject",
                "--no-instructions",
                *([] if sync else ["--no-sync"]),
            ],
            directory=draft,
        )
        if made.returncode != 0:
            lines = "\n".join(made.stdout.strip().splitlines()[-15:])
            raise ServerStartError(
                f"initdb could not make a database in {home} (exit code {made.returncode}):\n{lines}"
            )
        draft.rename(cluster)
        _sync_directory(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def require_compatible(cluster: Path, binaries: Binaries) -> None:
    """Refuse a cluster that the programs cannot read.

    Raises: IncompatibleDataError, DataDirectoryError.
    """
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise DataDirectoryError(f"{cluster} is there, but it is not a PostgreSQL data directory") from error
    if version != str(binaries.major):
        raise IncompatibleDataError(
            f"the data in {cluster} is of PostgreSQL {version}, and this release carries PostgreSQL "
            f"{binaries.major}: dump it with the release that wrote it (pg_dump) and load the dump into a "
            "new data directory, or use pg_upgrade"
        )


def take_ownership(cluster: Path, account: Account) -> None:
    """Give a cluster that root restored or copied to the account that will run it."""
    if not account.switch or cluster.stat().st_uid == account.uid:
        return
    for _, directories, files, descriptor in os.fwalk(cluster):
        os.fchown(descriptor, account.uid, account.gid)
        for name in (*directories, *files):
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)


def require_free(settings: Mapping[str, str]) -> None:
    """Refuse settings that are not the caller's to choose.

    Raises: ValueError.
    """
    if taken := _DECIDED_HERE & settings.keys():
        raise ValueError(f"these settings of the embedded PostgreSQL are fixed: {', '.join(sorted(taken))}")


def server_arguments(settings: Mapping[str, str], *, name: str, socket_directory: Path) -> list[str]:
    """Return the settings as arguments of the server: the defaults, the caller's, and the fixed ones."""
    fixed = {
        "listen_addresses": "",
        # A list of names in quotes; a quote within is doubled.
        "unix_socket_directories": '"{}"'.format(str(socket_directory).replace('"', '""')),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "cluster_name": name,
    }
    return [
        part
        for key, value in (_DEFAULTS | dict(settings) | fixed).items()
        for part in ("-c", f"{key}={value}")
    ]


def current_log(cluster: Path) -> Path | None:
    """Return the file into which the server logs, or logged last."""
    try:
        files = sorted((cluster / "log").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    except OSError:
        return None
    return files[-1] if files else None


def last_lines(path: Path | None, *, count: int = 15, since: int = 0) -> list[str]:
    """Return the last lines of a log file, of what was written after the byte `since`."""
    if path is None:
        return []
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(since if since <= size else 0, size - 16_384))
            return log.read().decode(errors="replace").strip().splitlines()[-count:]
    except OSError:
        return []


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
