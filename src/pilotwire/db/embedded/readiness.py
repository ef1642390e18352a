"""Waiting for a server: as long as it lives, because a recovery takes what it takes."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Literal

import asyncpg

from pilotwire.db.embedded.cluster import DATABASE, USER, current_log, last_lines, read_pid_file
from pilotwire.db.embedded.errors import ServerStartError
from pilotwire.db.embedded.processes import Process, is_alive
from pilotwire.db.embedded.sockets import PORT

__all__ = ["Lost", "until_ready"]

_POLL_S = 0.02
_TELL_EVERY_S = 1.0
# A server that says it is ready and has no reachable socket for so long has lost it: somebody tidied up /tmp.
_UNREACHABLE_S = 5.0
_State = Literal["ready", "busy", "unreachable"]
_TRANSIENT = (
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)


class Lost(Exception):
    """The server ended, or cannot be reached, before it was ready."""


async def until_ready(
    process: Process,
    cluster: Path,
    tell: Callable[[str], None],
    *,
    give_up: Callable[[], None],
    seen_log: int,
) -> Path:
    """Wait until the server answers and has our database, and return the directory of its socket.

    Raises: Lost; whatever `give_up` raises, which is asked while waiting.
    """
    began = told = unreachable_since = monotonic()
    while True:
        give_up()
        if not is_alive(process):
            raise Lost("PostgreSQL ended while it was starting")
        pid_file = await asyncio.to_thread(read_pid_file, cluster)
        state: _State = "busy"
        if pid_file is not None and pid_file.pid == process.pid and pid_file.status in {"ready", "standby"}:
            state = await _ask(pid_file.socket_directory)
            if state == "ready" and pid_file.socket_directory is not None:
                return pid_file.socket_directory
        if state != "unreachable":
            unreachable_since = monotonic()
        elif monotonic() - unreachable_since > _UNREACHABLE_S:
            raise Lost("PostgreSQL runs, but its socket cannot be reached")
        if monotonic() - told > _TELL_EVERY_S:
            told = monotonic()
            tell(_describe(pid_file.status if pid_file else "", cluster, seen_log, monotonic() - began))
        await asyncio.sleep(_POLL_S)


async def _ask(socket_directory: Path | None) -> _State:
    if socket_directory is None:
        return "unreachable"
    try:
        await _ensure_database(socket_directory)
    except (FileNotFoundError, ConnectionRefusedError):
        return "unreachable"
    except _TRANSIENT:
        # Between two states, as after the crash of a session; its status will show which.
        return "busy"
    except asyncpg.PostgresError as error:
        raise ServerStartError(f"PostgreSQL runs but refuses us: {error}") from error
    return "ready"


async def _ensure_database(socket_directory: Path) -> None:
    try:
        connection = await asyncpg.connect(
            host=str(socket_directory), port=PORT, user=USER, database="postgres", password="", timeout=10
        )
    except asyncpg.TooManyConnectionsError:
        # Alive and at work; only the first start has a database to make, and nobody is connected then.
        return
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close(timeout=10)


def _describe(status: str, cluster: Path, seen_log: int, waited_s: float) -> str:
    if status == "stopping":
        return f"PostgreSQL is still stopping ({waited_s:.0f} s)"
    recovery = [line for line in last_lines(current_log(cluster), since=seen_log) if " redo " in line]
    said = ": " + recovery[-1].partition("LOG:")[2].strip() if recovery else ""
    return f"PostgreSQL is recovering what was in flight when it was killed ({waited_s:.0f} s){said}"
