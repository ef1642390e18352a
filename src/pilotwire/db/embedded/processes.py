"""Who is running: processes recognised by more than a number that the system may have given away again.

A process of our cluster is known by its command line, which carries the cluster's name. Its working directory
would say the same, but another account's is hidden even from root in a container without CAP_SYS_PTRACE.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Process",
    "find_process",
    "is_alive",
    "is_postmaster_of",
    "list_cluster_processes",
    "signal_process",
]

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self" / "stat").exists()


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told from a later one with the same number by its start time (in ticks since boot)."""

    pid: int
    started: int


def find_process(pid: int) -> Process | None:
    """Return the living process with this number; one that only waits to be collected is dead."""
    if not _HAS_PROC:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            return Process(pid, 0)
        return Process(pid, 0)
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything, also parentheses; the fields after the last one are plain.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZX":
        _collect(pid)
        return None
    return Process(pid, int(fields[19]))


def is_alive(process: Process) -> bool:
    """Say whether this very process still runs."""
    return find_process(process.pid) == process


def is_postmaster_of(process: Process, cluster_name: str) -> bool:
    """Say whether the process is the first process of the named cluster's server."""
    if not _HAS_PROC:
        return True
    arguments = _arguments(process.pid)
    return f"cluster_name={cluster_name}" in arguments and Path(arguments[0]).name == "postgres"


def list_cluster_processes(cluster_name: str) -> list[Process]:
    """List every living process of the named cluster's server: postmaster, workers and sessions."""
    if not _HAS_PROC:
        return []
    found = []
    for entry in os.listdir(_PROC):  # noqa: PTH208  (a Path per process of the machine is a waste)
        if not entry.isdigit():
            continue
        arguments = _arguments(int(entry))
        if not arguments:
            continue
        # A session's title replaces its arguments: 'postgres: NAME: checkpointer'.
        child = arguments[0].startswith(f"postgres: {cluster_name}: ")
        parent = Path(arguments[0]).name == "postgres" and f"cluster_name={cluster_name}" in arguments
        if (child or parent) and (process := find_process(int(entry))):
            found.append(process)
    return found


def signal_process(process: Process, signal_number: int) -> None:
    """Send a signal, unless the process has ended meanwhile."""
    if is_alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal_number)


def _arguments(pid: int) -> list[str]:
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.rstrip(b"\0 ").split(b"\0")] if raw else []


def _collect(pid: int) -> None:
    # As the first process of a container we inherit the server's orphans, and no one else collects them.
    if os.getpid() == 1:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
