"""The processes of a measurement: PostgreSQL, the server that is measured, the load generator."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx

from bench.load import identity_of
from bench.measure import parent_of

_READY = re.compile(r"ready(?: http=(?P<http>\S+))? ocpp=(?P<ocpp>\S+)")
_ROOT = Path(__file__).parent.parent
_ROWS_AT_ONCE = 5000


class BenchError(Exception):
    """The measurement could not be made."""


@dataclass
class Server:
    """A server as a child process, from its ready line to its end."""

    process: asyncio.subprocess.Process
    log: Path
    http: str = ""
    ocpp: str = ""
    _reader: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        return self.process.pid

    @classmethod
    async def start(
        cls, command: Sequence[str], log: Path, environment: Mapping[str, str], *, ready_s: float = 120
    ) -> "Server":
        """Start and wait for the ready line.

        Raises: BenchError with the end of the log when the process ends or is not ready in time.
        """
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
                cwd=_ROOT,
            )
        server = cls(process, log)
        try:
            await asyncio.wait_for(server._wait_ready(), ready_s)
        except TimeoutError:
            await server.kill()
            raise BenchError(
                f"not ready after {ready_s:.0f} s: {' '.join(command)}\n{server.last_words()}"
            ) from None
        server._reader = asyncio.create_task(server._drain())
        return server

    async def _wait_ready(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if found := _READY.search(line.decode(errors="replace")):
                self.http, self.ocpp = found["http"] or "", found["ocpp"]
                return
        await self.process.wait()
        raise BenchError(
            f"the server ended with {self.process.returncode} before it was ready\n{self.last_words()}"
        )

    async def _drain(self) -> None:
        assert self.process.stdout is not None
        async for _ in self.process.stdout:
            pass

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    async def stop(self, patience_s: float = 60) -> int:
        """Send SIGTERM and return the exit code; kill the server when it takes longer than `patience_s`."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), patience_s)
        except TimeoutError:
            await self.kill()
        return self.process.returncode or 0

    async def kill(self) -> None:
        """kill -9."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


def pilotwire_command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("pilotwire")), *arguments]


async def start_pilotwire(data_dir: Path, environment: Mapping[str, str]) -> Server:
    """Start `pilotwire serve` on free ports; `environment` may name a database and the API key."""
    command = pilotwire_command(
        "serve", "--data-dir", str(data_dir), "--http", "127.0.0.1:0", "--ocpp", "127.0.0.1:0"
    )
    return await Server.start(command, data_dir.parent / "pilotwire.log", environment)


async def start_bench_server(name: str, directory: Path, *arguments: str) -> Server:
    """Start one of the bench's own servers: baseline or null."""
    return await Server.start(
        [sys.executable, "-m", "bench", name, *arguments], directory / f"{name}.log", {}
    )


async def register_stations(http: str, api_key: str, count: int, prefix: str, password: str) -> None:
    """Bring in the stations and their tokens as tables: the one place that knows how they are made."""
    headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "text/csv"}
    async with httpx.AsyncClient(base_url=http, headers=headers, timeout=120) as client:
        for start in range(0, count, _ROWS_AT_ONCE):
            numbers = range(start, min(count, start + _ROWS_AT_ONCE))
            stations = [f"{identity_of(prefix, n)},{password}" for n in numbers]
            tokens = [f"BENCHTAG{n % 1_000_000:06d},rfid,accepted" for n in numbers]
            for kind, lines in (
                ("stations", ["id,password", *stations]),
                ("tokens", ["uid,kind,status", *tokens]),
            ):
                answer = await client.post(f"/api/v1/imports/{kind}", content="\r\n".join(lines))
                if answer.status_code != 200 or not answer.json()["applied"]:
                    raise BenchError(f"{kind} were not taken ({answer.status_code}): {answer.text[:300]}")


OnEvent = Callable[[str, dict[str, Any]], None]


class LoadProcess:
    """The load generator as a child process that reports events."""

    def __init__(self, process: asyncio.subprocess.Process, on_event: OnEvent) -> None:
        self._process = process
        self._on_event = on_event

    @classmethod
    async def start(cls, url: str, on_event: OnEvent, *, password: str, **options: Any) -> "LoadProcess":
        """Start `python -m bench load`; `options` are its long options with underscores, a flag's value is True."""
        arguments = [
            x
            for name, value in options.items()
            for x in (f"--{name.replace('_', '-')}", *(() if value is True else (str(value),)))
        ]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench", "load", "--events", "--url", url, f"--password={password}",
            *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=_ROOT, limit=2**22,
        )  # fmt: skip
        return cls(process, on_event)

    async def wait_for(self, event: str) -> dict[str, Any]:
        """Read events until one of the given name comes, and return its facts.

        Raises: BenchError when the generator ends before.
        """
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            facts: dict[str, Any] = json.loads(line)
            name = facts.pop("event")
            self._on_event(name, facts)
            if name == event:
                return facts
        raise BenchError(f"the load generator ended with {await self._process.wait()} before '{event}'")

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")

    async def result(self) -> dict[str, Any]:
        """Let the generator finish and return its figures."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        figures = await self.wait_for("result")
        await self._process.wait()
        return figures


class Postgres:
    """One PostgreSQL for all that is measured: embedded in `directory`, or an external one by its address."""

    def __init__(self, directory: Path, external_dsn: str = "") -> None:
        self._directory = directory
        self._external_dsn = external_dsn
        self._embedded: Any = None
        self.dsn = external_dsn

    async def __aenter__(self) -> Self:
        if not self._external_dsn:
            from pilotwire.db.embedded import EmbeddedPostgres

            self._embedded = EmbeddedPostgres(self._directory)
            self.dsn = await self._embedded.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._embedded is not None:
            await self._embedded.stop()

    async def create_database(self, name: str) -> str:
        """Make an empty database, replacing one of the same name, and return its address."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}"))


async def query(dsn: str, statement: str) -> Any:
    """Return the one value that a statement gives."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def postmaster_pid(dsn: str) -> int:
    """Return the process that all others of the PostgreSQL behind `dsn` descend from; 0 if it is remote."""
    connection = await asyncpg.connect(dsn)
    try:
        return parent_of(await connection.fetchval("SELECT pg_backend_pid()"), name="postgres")
    finally:
        await connection.close()
