"""Where the server's socket lies: private, reachable for both sides, with a path that fits its address."""

import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from pilotwire.db.embedded.account import Account
from pilotwire.db.embedded.errors import DataDirectoryError
from pilotwire.db.embedded.files import make_private_directory

__all__ = ["PORT", "answers", "choose_socket_directory", "remove_socket_directory"]

# Only the name of the socket file comes from it; the server listens on no TCP port.
PORT = 5432
# sun_path has 108 bytes on Linux and 104 on macOS and the BSDs, with the closing zero.
_LONGEST_PATH_BYTES = 107 if os.uname().sysname == "Linux" else 103


def answers(directory: Path) -> bool:
    """Say whether a server listens in the directory."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(directory / f".s.PGSQL.{PORT}"))
        except TimeoutError:
            return True
        except OSError:
            return False
    return True


def choose_socket_directory(home: Path, cluster_name: str, account: Account, before: Path | None) -> Path:
    """Choose the directory of the socket and make it.

    `before` is where the cluster's socket lay the last time; it is kept if it is still good, because others
    that use the server look for it there.

    Raises: DataDirectoryError if there is no place for it.
    """
    short = f"{cluster_name}-{account.uid}"
    runtime = os.environ.get("XDG_RUNTIME_DIR") if not account.switch else "/run/pilotwire"
    candidates = [
        home / "run",
        *([Path(runtime, short)] if runtime else []),
        Path(tempfile.gettempdir(), short),
        Path("/tmp", short),  # noqa: S108  (made private, or refused)
    ]
    if before is not None and (before == home / "run" or before.name.startswith(short)):
        candidates.insert(0, before)
    refusals = []
    for path in candidates:
        if len(os.fsencode(path / f".s.PGSQL.{PORT}")) > _LONGEST_PATH_BYTES:
            refusals.append(f"{path}: the path is too long for a socket")
            continue
        try:
            if account.switch and path.parent == Path("/run/pilotwire"):
                path.parent.mkdir(mode=0o755, exist_ok=True)
            make_private_directory(path, uid=account.uid, gid=account.gid)
        except (OSError, DataDirectoryError) as error:
            refusals.append(f"{path}: {error}")
            continue
        if account.can_enter(path):
            return path
        path.rmdir()
        refusals.append(f"{path}: user {account.uid} cannot reach it")
    try:
        path = Path(tempfile.mkdtemp(prefix=f"{short}-", dir="/tmp"))
        make_private_directory(path, uid=account.uid, gid=account.gid)
    except OSError as error:
        raise DataDirectoryError("no place for PostgreSQL's socket: " + "; ".join(refusals)) from error
    return path


def remove_socket_directory(directory: Path) -> None:
    """Clear away the directory of a server that has ended, and what a killed one left in it."""
    with suppress(OSError):
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (directory / name).unlink(missing_ok=True)
        directory.rmdir()
