"""What the machine says about processes: processor time, memory, and what machine it is.

Linux only: read from /proc.
"""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PACKAGES = ("pilotwire", "picows", "uvloop", "msgspec", "asyncpg", "ocpp", "websockets", "sqlalchemy")


def _stat(pid: int) -> tuple[str, int, float] | None:
    """Return name, parent and processor seconds (all threads) of a process; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    name = text[text.index("(") + 1 : text.rindex(")")]
    fields = text[text.rindex(")") + 2 :].split()
    return name, int(fields[1]), (int(fields[11]) + int(fields[12])) * _TICK_S


def process_tree(root: int, *, without: str = "") -> list[int]:
    """Return a process and its descendants, leaving out those named `without` and what is below them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := _stat(int(entry.name))) and found[0] != without:
            children.setdefault(found[1], []).append(int(entry.name))
    tree = [root]
    for pid in tree:  # grows while it is walked
        tree.extend(children.get(pid, ()))
    return tree


def parent_of(pid: int, *, name: str) -> int:
    """Return the parent of a process on this machine that is called `name`; 0 when there is none."""
    found = _stat(pid)
    return found[1] if found and found[0] == name else 0


def cpu_s(pids: list[int]) -> float:
    """Return the processor seconds that the processes have used so far, user and system, all threads."""
    return sum(found[2] for pid in pids if (found := _stat(pid)))


def machine_cpu_s() -> float:
    """Return the processor seconds that the whole machine has spent so far on anything but idling."""
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = (
        int(x) for x in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    )
    return (user + nice + system + interrupts + soft_interrupts + stolen) * _TICK_S


def memory_kib(pid: int) -> dict[str, int]:
    """Return the resident set and, where the kernel tells it, the proportional set of a process in KiB."""
    found: dict[str, int] = {}
    for file, key in (("status", "VmRSS"), ("smaps_rollup", "Pss")):
        try:
            lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        except (PermissionError, FileNotFoundError):
            continue
        found.update(
            {key.removeprefix("Vm").lower(): int(x.split()[1]) for x in lines if x.startswith(f"{key}:")}
        )
    return found


def machine() -> dict[str, Any]:
    """Describe the machine, so that figures of different days can be told apart."""
    cpus = [x for x in Path("/proc/cpuinfo").read_text().splitlines() if x.startswith("model name")]
    memory = Path("/proc/meminfo").read_text().split(maxsplit=2)[1]
    return {
        "cpu": cpus[0].partition(":")[2].strip() if cpus else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory) / 2**20, 1),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that take part, and the checkout's commit."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found["commit"] = commit.stdout.strip() or "unknown"
    return found
