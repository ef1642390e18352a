"""Measure what the console costs the server: stations that change, and readers of the live stream.

Stations are connected and offered a rate of messages of which four in five change what the console shows. The server's
processor time is read over windows of the same load: with nobody looking, with N raw readers of /api/v1/live/stream, with
nobody again, and with real browsers on the overview. The differences are what readers and browsers cost. Every reader counts
the changes that it is told. The browsers tell when they first painted and how busy their main thread is, and how long
search, filter and scrolling take. The exit code is 0 when all readers were told the same, nobody was dropped and the
budgets are kept.
"""

import argparse
import asyncio
import json
import math
import os
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from bench.budgets import Line, show
from bench.console_browsers import (
    CPU_PERCENT_AT_MOST,
    EMAIL,
    first_js_kb,
    judge_browsers,
    open_browsers,
    share_of_main_thread,
)
from bench.limits import raise_open_files
from bench.load import identity_of
from bench.measure import cpu_s, machine, memory_kib, process_tree, versions
from bench.servers import (
    BenchError,
    LoadProcess,
    Postgres,
    Server,
    pilotwire_command,
    register_stations,
    start_pilotwire,
)

PREFIX = "CONSOLE-"
_CHANGING = 0.8  # of the messages of a charging cycle; heartbeats change nothing
_CALM_S, _LOOK_S, _STEADY = 90.0, 5.0, 0.93
"""How long to wait at most until the server has become calm, in looks of so many seconds; calm is what falls by less."""
_SETTLE_S = 4.0
_OTHER_FILES = 200


@dataclass(frozen=True)
class Options:
    """What to measure, and how large."""

    stations: int = 5000
    changes: float = 200.0
    readers: int = 100
    browsers: int = 5
    seconds: float = 20.0
    quick: bool = False
    output: Path = Path(__file__).parent / "results"


@dataclass
class RawReader:
    """One reader of the stream, on a socket of its own."""

    changes: int = 0
    ticks: int = 0
    received_bytes: int = 0
    longest_silence_s: float = 0.0
    ended: bool = False
    _task: asyncio.Task[None] | None = field(default=None, repr=False)

    async def open(self, url: str, api_key: str) -> None:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**22)
        writer.write(
            f"GET /api/v1/live/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {api_key}\r\n\r\n".encode()
        )
        status = await reader.readline()
        if b" 200 " not in status:
            raise BenchError(f"the stream was answered {status.decode(errors='replace').strip()}")
        self._task = asyncio.create_task(self._read(reader, writer))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard_at = time.perf_counter()
        try:
            while chunk := await reader.read(2**18):
                now = time.perf_counter()
                self.longest_silence_s = max(self.longest_silence_s, now - heard_at)
                heard_at = now
                self.received_bytes += len(chunk)
                self.ticks += chunk.count(b"event: tick\n")
                # Every station that changed has its id in a tick once, as a key.
                self.changes += chunk.count(b'"' + PREFIX.encode()) - chunk.count(b':"' + PREFIX.encode())
        finally:
            self.ended = True
            writer.close()

    def reset(self) -> None:
        self.changes = self.ticks = self.received_bytes = 0
        self.longest_silence_s = 0.0

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()


class Bench:
    """One run of the benchmark."""

    def __init__(self, options: Options, console: Console, directory: Path) -> None:
        self.options = options
        self.console = console
        self.directory = directory
        self.password = secrets.token_urlsafe(18)
        self.api_key = secrets.token_urlsafe(32)
        self.figures: dict[str, Any] = {}
        room = raise_open_files() - options.readers - _OTHER_FILES
        self.connected = min(options.stations, room)
        """How many stations connect: as many as a process may open files. The others are known, and offline."""

    async def perform(self) -> None:
        """Start everything, measure, and fill `figures`."""
        options = self.options
        async with Postgres(self.directory / "postgres") as postgres:
            dsn = await postgres.create_database("bench_console")
            environment = {
                "PILOTWIRE_DATABASE_URL": dsn,
                "PILOTWIRE_BOOTSTRAP_API_KEY": self.api_key,
                # Some twenty new stations a second are asked for their lists: for minutes, whoever looks.
                "PILOTWIRE_LOCAL_LISTS": "false",
            }
            server = await start_pilotwire(self.directory / "data", environment)
            try:
                self.console.print(
                    f"[bold]console[/] registering {options.stations:,} stations, {self.connected:,} will connect"
                )
                await register_stations(server.http, self.api_key, options.stations, PREFIX, self.password)
                generator = await LoadProcess.start(
                    server.ocpp,
                    self._on_event,
                    password=self.password,
                    id_prefix=PREFIX,
                    mode="offered",
                    stations=self.connected,
                    rate=options.changes / _CHANGING,
                    warmup=3,
                    seconds=_CALM_S + 3 * options.seconds + 4 * _SETTLE_S + self._browsing_s(),
                )
                await generator.wait_for("measuring")
                await self._calm(server)
                alone = await self._window(server)
                self.console.print(f"  [dim]nobody looks: {alone:.1%} of a core[/]")
                await self._measure_readers(server, alone)
                if options.browsers:
                    await self._measure_browsers(server, environment)
                load = await generator.result()
                self.figures["connected"] = self.connected
                self.figures["load"] = {
                    key: load[key] for key in ("messages", "seconds", "faults") if key in load
                }
            finally:
                await server.stop()

    def _on_event(self, event: str, facts: dict[str, Any]) -> None:
        if event in ("connected", "ready", "measuring"):
            text = ", ".join(f"{value:,} {name}" for name, value in facts.items())
            self.console.print(f"  [dim]{event} · {text}[/]")

    def _browsing_s(self) -> float:
        """How long the browsers' part takes, with time to spare."""
        options = self.options
        return (
            2 * options.seconds + 30 + 10 * options.browsers + options.stations / 200
            if options.browsers
            else 0
        )

    async def _measure_readers(self, server: Server, alone: float) -> None:
        options = self.options
        self.figures["snapshot"] = await self._snapshot(server)
        readers = [RawReader() for _ in range(options.readers)]
        await asyncio.gather(*(reader.open(server.http, self.api_key) for reader in readers))
        await asyncio.sleep(_SETTLE_S)
        for reader in readers:
            reader.reset()
        watched = await self._window(server)
        told = [reader.changes for reader in readers]
        self.figures["readers"] = {
            "cpu_watched_percent": round(watched * 100, 2),
            "changes_per_s": round(max(told) / options.seconds, 1),
            "ticks_per_s": round(max(reader.ticks for reader in readers) / options.seconds, 2),
            "kib_per_s_each": round(readers[0].received_bytes / options.seconds / 1024, 1),
            "least_told": min(told),
            "most_told": max(told),
            "dropped": sum(reader.ended for reader in readers),
            "longest_silence_s": round(max(reader.longest_silence_s for reader in readers), 2),
            "server_rss_kib": memory_kib(server.pid),
        }
        for reader in readers:
            reader.close()
        self.console.print(f"  [dim]{options.readers} readers: {watched:.1%} of a core[/]")
        await asyncio.sleep(_SETTLE_S)
        alone = min(alone, await self._window(server))
        self.console.print(f"  [dim]nobody looks any more: {alone:.1%} of a core[/]")
        self.figures["readers"] |= {
            "cpu_alone_percent": round(alone * 100, 2),
            "cpu_percent": round((watched - alone) * 100, 2),
        }

    async def _measure_browsers(self, server: Server, environment: dict[str, str]) -> None:
        password = secrets.token_urlsafe(18)
        await self._add_person(environment, password)
        js_kb = await first_js_kb(server.http)
        async with open_browsers(server.http, password) as browsers:
            paint = await browsers.paint()
            self.console.print(f"  [dim]first paint {paint['first_paint_ms']:.0f} ms[/]")
            await browsers.close_pages()
            await asyncio.sleep(_SETTLE_S)
            alone = await self._window(server)
            await browsers.open(self.options.browsers)
            await browsers.open_bare()
            await asyncio.sleep(_SETTLE_S)
            told = await browsers.ticks()
            watched, busy = await asyncio.gather(
                self._window(server), share_of_main_thread(browsers, self.options.seconds)
            )
            told = await browsers.ticks() - told
            if told < self.options.seconds:
                raise BenchError(f"only {told} ticks came: the load ended before the browsers were measured")
            await browsers.close_pages()
            usable = await browsers.usable(identity_of(PREFIX, self.options.stations // 2))
        *pages, bare = busy
        self.figures["browsers"] = {
            "first_js_kb": js_kb,
            **paint,
            "cpu_alone_percent": round(alone * 100, 2),
            "cpu_watched_percent": round(watched * 100, 2),
            "cpu_percent": round((watched - alone) * 100, 2),
            "main_thread_percent": [round(share * 100, 1) for share in pages],
            "bare_page_percent": round(bare * 100, 2),
            "usable": usable,
        }

    async def _add_person(self, environment: dict[str, str], password: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *pilotwire_command("user", "create", EMAIL, "--role", "owner"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **environment},
        )  # fmt: skip
        _, errors = await process.communicate(f"{password}\n".encode())
        if process.returncode:
            raise BenchError(f"nobody could be added to sign in: {errors.decode(errors='replace')[-500:]}")

    async def _calm(self, server: Server) -> None:
        """Wait until stations that are new have been asked for their settings: until the share no longer falls."""
        before, until = math.inf, time.perf_counter() + _CALM_S - 2 * _LOOK_S
        while time.perf_counter() < until:
            now = await self._window(server, _LOOK_S)
            if now > _STEADY * before:
                return
            before = now

    async def _window(self, server: Server, seconds: float | None = None) -> float:
        """Give the share of a core that the server takes over the window, or over so many seconds."""
        before, started = cpu_s(process_tree(server.pid, without="postgres")), time.perf_counter()
        await asyncio.sleep(self.options.seconds if seconds is None else seconds)
        after = cpu_s(process_tree(server.pid, without="postgres"))
        return (after - before) / (time.perf_counter() - started)

    async def _snapshot(self, server: Server) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Accept-Encoding": "gzip"}
        found: dict[str, Any] = {}
        async with httpx.AsyncClient(base_url=server.http, headers=headers, timeout=60) as client:
            for name in ("first", "next"):
                started = time.perf_counter()
                async with client.stream("GET", "/api/v1/live/snapshot") as answer:
                    body = b"".join([chunk async for chunk in answer.aiter_raw()])
                found[f"{name}_ms"] = round((time.perf_counter() - started) * 1000, 1)
                found["compressed_kib"] = round(len(body) / 1024, 1)
                await asyncio.sleep(1.5)
        return found


def judge(figures: dict[str, Any], options: Options) -> list[Line]:
    """Say what was measured, and whether the budget is kept."""
    readers, snapshot = figures["readers"], figures["snapshot"]
    cost = readers["cpu_percent"]
    # The slowest reader may lack the last tick of the window.
    missing = readers["most_told"] - readers["least_told"]
    lines = [
        Line("server without readers", "", f"{readers['cpu_alone_percent']:.1f} % of a core", None),
        Line(
            f"{options.readers} readers, {readers['changes_per_s']:.0f} changes/s told",
            f"< {CPU_PERCENT_AT_MOST:.0f} % of a core",
            f"{cost:.1f} %",
            cost < CPU_PERCENT_AT_MOST,
        ),
        Line(
            "per reader",
            "",
            f"{readers['kib_per_s_each']:.1f} KiB/s, {readers['ticks_per_s']:.1f} ticks/s",
            None,
        ),
        Line(
            "longest silence",
            "<= 5 s",
            f"{readers['longest_silence_s']} s",
            readers["longest_silence_s"] <= 5,
        ),
        Line("readers dropped", "0", str(readers["dropped"]), readers["dropped"] == 0),
        Line(
            "changes not told to everybody",
            "< one tick",
            str(missing),
            missing <= 2 * max(readers["changes_per_s"] / 4, 10),
        ),
        Line(
            f"snapshot of {options.stations:,} stations",
            "",
            f"{snapshot['first_ms']:.0f} ms the first time, then {snapshot['next_ms']:.0f} ms,"
            f" {snapshot['compressed_kib']:.0f} KiB",
            None,
        ),
    ]
    return (
        lines + judge_browsers(figures["browsers"], options.browsers, options.stations)
        if "browsers" in figures
        else lines
    )


def parse(arguments: list[str]) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="pilotwire bench console",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stations", type=int, default=Options.stations)
    parser.add_argument("--changes", type=float, default=Options.changes, help="changes/s (default: 200)")
    parser.add_argument("--readers", type=int, default=Options.readers)
    parser.add_argument(
        "--browsers",
        type=int,
        default=Options.browsers,
        help="headless Chromiums on the overview; 0 for none",
    )
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="of each measured window")
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it all works")
    parser.add_argument("--output", type=Path, default=Options.output, help="directory of the JSON file")
    found = parser.parse_args(arguments)
    if found.quick:
        return Options(200, 50.0, 10, min(found.browsers, 2), 4.0, True, found.output)
    return Options(
        found.stations, found.changes, found.readers, found.browsers, found.seconds, False, found.output
    )


def main(arguments: list[str]) -> int:
    """Measure, print the table, write the JSON file."""
    options = parse(arguments)
    console = Console()
    if raise_open_files() < 0.9 * options.stations + options.readers + _OTHER_FILES:
        console.print("[red]too few files may be open (ulimit -Hn): ask for fewer --stations[/]")
        return 2
    directory = Path(tempfile.mkdtemp(prefix="pilotwire-bench-"))
    directory.chmod(0o755)  # the embedded PostgreSQL may run as another user
    started_at = datetime.now(UTC)
    about = {"started_at": started_at.isoformat(), "machine": machine(), "versions": versions()}
    bench = Bench(options, console, directory)
    try:
        asyncio.run(bench.perform())
    except BenchError as error:
        console.print(f"[bold red]{error}[/]", markup=True, highlight=False)
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    lines = judge(bench.figures, options)
    show(console, lines, "Console")
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / f"console-{started_at:%Y%m%dT%H%M%SZ}.json"
    how = {**vars(options), "output": str(options.output)}
    verdicts = [vars(line) for line in lines]
    file.write_text(
        json.dumps({**about, "options": how, "figures": bench.figures, "verdicts": verdicts}, indent=2) + "\n"
    )
    console.print(f"written to {file}")
    return 0 if all(line.kept is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
