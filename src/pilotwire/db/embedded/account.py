"""Under whose name the server runs.

PostgreSQL refuses to run as root. Started by root it runs as an account without rights, which may not be
able to walk to the places where root keeps things; `Account.can_enter` tells.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pilotwire.db.embedded.errors import DataDirectoryError, ServerStartError

__all__ = ["Account", "choose_account"]

# In this order: an account made for us, the one every PostgreSQL package makes, the one every system has.
_CANDIDATES = ("pilotwire", "postgres", "nobody")
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """The user that owns the cluster; `switch` if it is not the one that runs this process."""

    uid: int
    gid: int
    switch: bool

    def can_enter(self, directory: Path) -> bool:
        """Say whether the account can walk to the directory."""
        return not self.switch or self._test('cd "$1"', directory)

    def can_read(self, *paths: Path) -> bool:
        """Say whether the account can read all the files."""
        return all(not self.switch or self._test('test -r "$1"', path) for path in paths)

    def run(
        self, arguments: Sequence[str], *, directory: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account and return its output, errors included.

        Raises: OSError if the account cannot execute the program.
        """
        return subprocess.run(  # noqa: S603  (our own programs, no shell)
            arguments,
            cwd=directory or "/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            **self._options(),
        )

    def launch(self, arguments: Sequence[str], *, directory: Path, output: IO[bytes]) -> int:
        """Start a program that outlives this process, and return its process number.

        A shell in between makes it nobody's child at once: it needs no collecting, and it is the same to us
        whether we or a process before us started it. Its session is its own, so that Ctrl-C in our terminal
        does not reach it.
        """
        shell = ["/bin/sh", "-c", 'exec "$@" >&2 & echo $!', "sh", *arguments]
        started = subprocess.run(  # noqa: S603  (the shell's text is fixed, the arguments are passed beside it)
            shell,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            check=False,
            **self._options(),
        )
        try:
            return int(started.stdout)
        except ValueError as error:
            raise ServerStartError(
                f"{arguments[0]} could not be started (exit code {started.returncode})"
            ) from error

    def _test(self, script: str, path: Path) -> bool:
        return self.run(["/bin/sh", "-c", script, "sh", str(path)]).returncode == 0

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"env": _ENVIRONMENT, "umask": 0o077}
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options


def choose_account(home: Path, cluster: Path) -> Account:
    """Choose who runs the server of a cluster.

    An ordinary user runs it as themself. For root it is whoever owns the cluster, or the directory around it,
    already; otherwise an existing account without rights.

    Raises: DataDirectoryError if the cluster belongs to somebody whose processes we may not start.
    """
    uid = os.geteuid()
    owners = [path.stat() for path in (cluster, home) if path.exists()]
    if uid != 0:
        if owners and owners[0].st_uid != uid:
            raise DataDirectoryError(
                f"{cluster if cluster.exists() else home} belongs to user {owners[0].st_uid}, and this "
                f"process runs as {uid}: run it as that user or as root, or choose another data directory"
            )
        return Account(uid, os.getegid(), switch=False)
    account = _first_named(owners) or _unprivileged_account()
    try:
        account.can_enter(Path("/"))
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerStartError(
            f"PostgreSQL does not run as root, and this process may not become user {account.uid} ({error}): "
            "start it as an ordinary user, or give it the right to change its user"
        ) from error
    return account


def _first_named(owners: Sequence[os.stat_result]) -> Account | None:
    for owner in owners:
        # initdb does not run under a number that has no name, as the owner of a mounted volume may be.
        with suppress(KeyError):
            if pwd.getpwuid(owner.st_uid).pw_uid != 0:
                return Account(owner.st_uid, owner.st_gid, switch=True)
    return None


def _unprivileged_account() -> Account:
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise ServerStartError(
        f"PostgreSQL does not run as root, and there is none of the accounts {', '.join(_CANDIDATES)} "
        "to run it: make one with `useradd --system pilotwire`"
    )
