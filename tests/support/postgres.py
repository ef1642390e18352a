"""A real PostgreSQL for the tests: one server for a whole run, and databases at some milliseconds each.

Everything here blocks for a moment and may be called from anywhere, also where an event loop runs.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from pilotwire.db.embedded import EmbeddedPostgres

__all__ = ["create_database", "drop_database", "ensure_template", "run_blocking", "shared_server"]

T = TypeVar("T")

# What a test writes need not outlive a power cut. Tests of crashes start servers of their own.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
}
_TEMPLATE_LOCK = 0x70_69_6C_6F_74


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a loop and thread of its own, so that it disturbs no loop of a test."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def shared_server(data_dir: Path) -> Iterator[str]:
    """Use the server of `data_dir` together with every other process of the test run; gives its DSN."""
    server = EmbeddedPostgres(data_dir, settings=_FAST)
    dsn = run_blocking(server.start())
    try:
        yield dsn
    finally:
        run_blocking(server.stop())


def create_database(server_dsn: str, name: str, template: str | None = None) -> str:
    """Create a database, empty or a copy of `template`, and return its DSN.

    Nobody may be connected to the template meanwhile.
    """
    # Copying files wants a checkpoint, which is quick where no disk is waited for; logging each page is not.
    statement = f'CREATE DATABASE "{name}" TEMPLATE "{template or "template1"}" STRATEGY file_copy'
    run_blocking(_execute(server_dsn, statement))
    return _with_database(server_dsn, name)


def drop_database(server_dsn: str, name: str) -> None:
    """Drop a database if it exists, and end the sessions that still use it."""
    run_blocking(_execute(server_dsn, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def ensure_template(server_dsn: str, name: str, build: Callable[[str], None]) -> None:
    """Have a database to copy from: the first of all processes to come lets `build(dsn)` fill it.

    `build` must have closed its connections when it returns. A template that failed to build is not kept.
    """
    run_blocking(_ensure_template(server_dsn, name, build))


async def _ensure_template(server_dsn: str, name: str, build: Callable[[str], None]) -> None:
    connection = await asyncpg.connect(server_dsn)
    try:
        await connection.execute(f"SELECT pg_advisory_lock({_TEMPLATE_LOCK})")
        if await connection.fetchval("SELECT datistemplate FROM pg_database WHERE datname = $1", name):
            return
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
        await asyncio.to_thread(build, _with_database(server_dsn, name))
        await connection.execute(f'ALTER DATABASE "{name}" IS_TEMPLATE true')
    finally:
        await connection.close()


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _with_database(dsn: str, name: str) -> str:
    parts = urlsplit(dsn)
    # urlunsplit drops an empty host; the DSN of a socket has one, and needs its two slashes.
    return urlunsplit(parts._replace(path="/" + quote(name)))
