"""Measure Pilotwire's gateway against the usual way and against its budgets.

parts, in the order in which they run:
  ceiling   the load generator alone, against a server that only answers
  baseline  the usual way (`ocpp` + websockets + SQLAlchemy, commit per message) under the saturating load
  saturate  Pilotwire under the same load: durable messages/s, CPU per message
  offered   all stations connected, a fixed rate of messages offered: latency
  storm     the server was restarted: all stations connect and boot at once
  idle      memory per connection that only stays

Baseline and saturate run in turns, several times: the round in the middle counts, by how many times the usual way it was.

Every answer is checked, answered messages are counted in the database. Prints a table and writes a JSON file.
The exit code is 0 when everything was answered rightly and stored and, at full size, all budgets are kept.
"""

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.budgets import OFFERED_PER_S, judge, rate_to_offer, show, times_the_usual
from bench.limits import raise_open_files
from bench.measure import cpu_s, machine, machine_cpu_s, memory_kib, process_tree, versions
from bench.servers import (
    BenchError,
    LoadProcess,
    Postgres,
    Server,
    postmaster_pid,
    query,
    register_stations,
    start_bench_server,
    start_pilotwire,
)

PARTS = ("ceiling", "baseline", "saturate", "offered", "storm", "idle")
_OF_ALL_STATIONS = frozenset({"offered", "storm", "idle"})
PREFIX = "BENCH-"
COUNT_PILOTWIRE = "SELECT count(*) FROM frame WHERE direction = 0 AND response IS NOT NULL"
COUNT_COMMANDS = "SELECT count(*) FROM command"
COUNT_OPEN = "SELECT count(*) FROM command WHERE finished_at IS NULL"
COUNT_BASELINE = "SELECT count(*) FROM message"
_SETTLE_S, _QUIET_S, _LOOK_S = 600.0, 15.0, 3.0
"""How long at most to wait for new stations to be asked for their settings, and what quiet means. A station is asked some
ten seconds after its boot."""


@dataclass(frozen=True)
class Options:
    """What to measure, and how large."""

    parts: tuple[str, ...] = PARTS
    stations: int = 10_000
    active: int = 1000
    seconds: float = 15.0
    warmup: float = 10.0
    rate: float = 0.0
    """Messages/s of part offered; 0: the budget's, or less on a machine that is saturated by it."""
    sources: int = 1
    rounds: int = 3
    """How often baseline and saturate run, in turns; the round in the middle counts."""
    quick: bool = False
    postgres: str = ""
    output: Path = Path(__file__).parent / "results"


class Meter:
    """Reads the processor time of the server and of PostgreSQL when the measured window opens and closes."""

    def __init__(self, console: Console, part: str, server: Server, postmaster: int) -> None:
        self._console = console
        self._part = part
        self._server = server
        self._postmaster = postmaster
        self._marks: dict[str, tuple[float, float, float]] = {}

    def on_event(self, event: str, facts: dict[str, Any]) -> None:
        if event in ("measuring", "measured"):
            server_s = cpu_s(process_tree(self._server.pid, without="postgres"))
            postgres_s = cpu_s(process_tree(self._postmaster)) if self._postmaster else 0.0
            self._marks[event] = (server_s, postgres_s, machine_cpu_s())
        if event in ("progress", "connected", "ready", "measuring", "measured", "held"):
            text = ", ".join(f"{value:,} {name}" for name, value in facts.items())
            self._console.print(f"  [dim]{self._part}: {event} · {text}[/]")

    def figures(self, messages: int, elapsed_s: float) -> dict[str, Any]:
        """Return the processor time between the marks, per message and in cores."""
        server_s, postgres_s, machine_s = (
            end - start for start, end in zip(self._marks["measuring"], self._marks["measured"], strict=True)
        )
        return {
            "server_us_per_message": round(server_s / max(messages, 1) * 1e6, 2),
            "server_busy": round(server_s / elapsed_s, 3),
            "postgres_us_per_message": round(postgres_s / max(messages, 1) * 1e6, 2),
            "postgres_busy": round(postgres_s / elapsed_s, 3),
            "machine_busy": round(machine_s / elapsed_s, 3),
        }


class Gateway:
    """One run of the benchmark."""

    def __init__(self, options: Options, console: Console, directory: Path) -> None:
        self.options = options
        self.console = console
        self.directory = directory
        self.password = secrets.token_urlsafe(18)
        self.api_key = secrets.token_urlsafe(32)
        self.figures: dict[str, Any] = {}
        self._registered = False

    async def perform(self) -> None:
        """Run the parts in order and fill `figures`."""
        parts = self.options.parts
        if "ceiling" in parts:
            await self._ceiling()
        if set(parts) - {"ceiling"}:
            async with Postgres(self.directory / "postgres", self.options.postgres) as postgres:
                usual = await postgres.create_database("bench_baseline") if "baseline" in parts else ""
                ours = await postgres.create_database("bench_pilotwire")
                if {"baseline", "saturate"} <= set(parts):
                    await self._in_turns(usual, ours)
                elif "baseline" in parts:
                    await self._baseline(usual)
                elif "saturate" in parts:
                    await self._saturate(ours)
                if set(parts) & _OF_ALL_STATIONS:
                    await self._all_stations(ours)

    async def _in_turns(self, usual: str, ours: str) -> None:
        """Compare with the usual way several times: the machine is not the same from one minute to the next."""
        rounds = []
        for number in range(1, self.options.rounds + 1):
            self.console.print(f"[bold]round {number} of {self.options.rounds}[/]")
            await self._baseline(usual)
            await self._saturate(ours)
            rounds.append((self.figures["baseline"], self.figures["saturate"]))
        times = [times_the_usual(saturate, baseline) for baseline, saturate in rounds]
        middle = times.index(sorted(times)[(len(times) - 1) // 2])  # of an even number the lower one
        for number, (baseline, saturate) in enumerate(rounds):
            if number != middle:
                self.figures[f"baseline, round {number + 1}"] = baseline
                self.figures[f"saturate, round {number + 1}"] = saturate
        self.figures["baseline"], saturate = rounds[middle]
        self.figures["saturate"] = {**saturate, "times_by_round": [round(each, 2) for each in times]}

    async def _ceiling(self) -> None:
        self.console.print("[bold]ceiling[/] the load generator alone")
        server = await start_bench_server("null", self.directory)
        try:
            self.figures["ceiling"] = await self._load("ceiling", server, 0, self._saturating())
        finally:
            await server.stop()

    async def _baseline(self, dsn: str) -> None:
        self.console.print("[bold]baseline[/] the usual way")
        server = await start_bench_server(
            "baseline", self.directory, "--dsn", dsn, f"--password={self.password}"
        )
        try:
            await query(dsn, "CHECKPOINT")
            before = await query(dsn, COUNT_BASELINE)
            figures = await self._load("baseline", server, await postmaster_pid(dsn), self._saturating())
        finally:
            await server.stop()
        self.figures["baseline"] = {**figures, "stored": await query(dsn, COUNT_BASELINE) - before}

    async def _saturate(self, dsn: str) -> None:
        server = await self._serve(dsn)
        try:
            await self._register(server)
            await self._counted("saturate", server, dsn, self._saturating())
        finally:
            await server.stop()

    async def _register(self, server: Server) -> None:
        """Make the stations known, once."""
        if self._registered:
            return
        options = self.options
        of_all = bool(set(options.parts) & _OF_ALL_STATIONS)
        most = max(options.active, options.stations) if of_all else options.active
        self.console.print(f"[bold]Pilotwire[/] registering {most:,} stations")
        await register_stations(server.http, self.api_key, most, PREFIX, self.password)
        self._registered = True

    async def _all_stations(self, dsn: str) -> None:
        parts, options = self.options.parts, self.options
        server = await self._serve(dsn)
        try:
            await self._register(server)
            if "offered" in parts:
                await self._counted("offered", server, dsn, self._offering())
                self.figures["offered"]["rate_per_s"] = self._rate()
            if "storm" in parts:
                server = await self._again(server, dsn)
                await self._counted("storm", server, dsn, {"mode": "storm", "stations": options.stations})
            if "idle" in parts:
                server = await self._again(server, dsn)
                self.figures["idle"] = await self._idle(server)
        finally:
            await server.stop()

    def _saturating(self) -> dict[str, Any]:
        options = self.options
        return {
            "mode": "saturate",
            "stations": options.active,
            "versions": "1.6,2.0.1",
            "seconds": options.seconds,
            "warmup": options.warmup,
        }

    def _offering(self) -> dict[str, Any]:
        options = self.options
        return {
            "mode": "offered",
            "stations": options.stations,
            "rate": self._rate(),
            "seconds": options.seconds,
            "warmup": options.warmup,
        }

    def _rate(self) -> float:
        saturated = self.figures.get("saturate")
        return self.options.rate or rate_to_offer(saturated and saturated["messages_per_s"])

    async def _serve(self, dsn: str) -> Server:
        environment = {
            "PILOTWIRE_DATABASE_URL": dsn,
            "PILOTWIRE_BOOTSTRAP_API_KEY": self.api_key,
            # Some twenty new stations a second are asked for their lists: ten thousand would take ten minutes.
            "PILOTWIRE_LOCAL_LISTS": "false",
        }
        return await start_pilotwire(self.directory / "data", environment)

    async def _again(self, server: Server, dsn: str) -> Server:
        """Restart the server, so that a part neither gains nor suffers from the one before."""
        await server.stop()
        return await self._serve(dsn)

    async def _load(
        self, part: str, server: Server, postmaster: int, load: dict[str, Any], *, dsn: str = ""
    ) -> dict[str, Any]:
        """Run a load; with `dsn` its stations wait until nothing more is asked of them because they are new."""
        meter = Meter(self.console, part, server, postmaster)
        generator = await LoadProcess.start(
            server.ocpp,
            meter.on_event,
            password=self.password,
            id_prefix=PREFIX,
            sources=self.options.sources,
            **({"hold": True} if dsn else {}),
            **load,
        )
        if dsn:
            await generator.wait_for("held")
            await self._settle(dsn)
            generator.go_on()
        figures = await generator.result()
        if "messages" in figures:
            figures.update(meter.figures(figures["messages"], figures["seconds"]))
        for fault, example in figures["examples"].items():
            self.console.print(
                f"[bold red]{part}: {fault} x {figures['faults'][fault]:,}[/] {example}", markup=True
            )
        return figures

    async def _settle(self, dsn: str) -> None:
        """Wait until nothing more is asked of stations that are new."""
        before, quiet_s, until = -1, 0.0, time.perf_counter() + _SETTLE_S
        while quiet_s < _QUIET_S and time.perf_counter() < until:
            await asyncio.sleep(_LOOK_S)
            asked, open_ = await query(dsn, COUNT_COMMANDS), await query(dsn, COUNT_OPEN)
            self.console.print(f"  [dim]settling: {asked:,} commands to new stations, {open_:,} not done[/]")
            quiet_s = quiet_s + _LOOK_S if asked == before and not open_ else 0.0
            before = asked

    async def _counted(self, part: str, server: Server, dsn: str, load: dict[str, Any]) -> None:
        """Run a load and count what it left in the database."""
        self.console.print(f"[bold]{part}[/]")
        await query(dsn, "CHECKPOINT")
        before = await query(dsn, COUNT_PILOTWIRE)
        settles = dsn if load["mode"] in ("saturate", "offered") else ""
        figures = await self._load(part, server, await postmaster_pid(dsn), load, dsn=settles)
        figures["stored"] = await query(dsn, COUNT_PILOTWIRE) - before
        self.figures[part] = figures

    async def _idle(self, server: Server) -> dict[str, Any]:
        """Measure the memory between a first tenth of the connections (which warm it up) and all of them."""
        self.console.print("[bold]idle[/]")
        meter = Meter(self.console, "idle", server, 0)
        first = self.options.stations // 10
        generator = await LoadProcess.start(
            server.ocpp, meter.on_event, password=self.password, id_prefix=PREFIX,
            mode="idle", stations=self.options.stations, first=first, sources=self.options.sources,
        )  # fmt: skip
        await generator.wait_for("held")
        await asyncio.sleep(2)
        before = memory_kib(server.pid)
        generator.go_on()
        await generator.wait_for("held")
        await asyncio.sleep(2)
        after = memory_kib(server.pid)
        figures = await generator.result()
        measure = "pss" if "pss" in after else "rss"
        counted = self.options.stations - first
        return {
            **figures,
            "before_kib": before,
            "after_kib": after,
            "measure": measure,
            "counted": counted,
            "kib_per_connection": round((after[measure] - before[measure]) / counted, 2),
        }


def parse(arguments: list[str]) -> Options:
    """Read the command line of `python -m bench gateway`."""
    default = Options()
    parser = argparse.ArgumentParser(
        prog="python -m bench gateway",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="a small run of seconds, to see that everything works"
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="which parts to run, comma-separated (all)")
    parser.add_argument(
        "--stations", type=int, help=f"stations of offered, storm and idle ({default.stations})"
    )
    parser.add_argument("--active", type=int, help=f"stations of the saturating load ({default.active})")
    parser.add_argument(
        "--seconds", type=float, help=f"length of each measured window ({default.seconds:.0f})"
    )
    parser.add_argument("--warmup", type=float, help=f"seconds before each window ({default.warmup:.0f})")
    parser.add_argument(
        "--rate",
        type=float,
        help=f"messages/s of part offered ({OFFERED_PER_S:.0f}, or half of the saturated rate)",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        help=f"how often baseline and saturate run, in turns; the middle one counts ({default.rounds})",
    )
    parser.add_argument("--sources", type=int, help="loopback addresses that stations come from (1)")
    parser.add_argument(
        "--postgres", default="", metavar="URL", help="an external PostgreSQL (embedded otherwise)"
    )
    parser.add_argument(
        "--output", type=Path, default=default.output, metavar="DIR", help="where the JSON file goes"
    )
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    wanted = set(given["parts"].split(","))
    if unknown := wanted - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if given.get("rounds", 1) < 1:
        parser.error("--rounds must be at least 1")
    given["parts"] = tuple(part for part in PARTS if part in wanted)
    small: dict[str, Any] = {
        "stations": 300,
        "active": 100,
        "seconds": 3.0,
        "warmup": 1.0,
        "rate": 300.0,
        "rounds": 1,
    }
    return Options(**{**(small if given["quick"] else {}), **given})


def main(arguments: list[str]) -> int:
    """Measure, print the table, write the JSON file."""
    options = parse(arguments)
    console = Console()
    if raise_open_files() < options.stations + 200:
        console.print("[red]too few files may be open (ulimit -Hn): ask for fewer --stations[/]")
        return 2
    directory = Path(tempfile.mkdtemp(prefix="pilotwire-bench-"))
    directory.chmod(
        0o755
    )  # the embedded PostgreSQL may run as another user, who has to get to its own directory
    started_at = datetime.now(UTC)
    about = {"started_at": started_at.isoformat(), "machine": machine(), "versions": versions()}
    bench = Gateway(options, console, directory)
    try:
        asyncio.run(bench.perform())
    except BenchError as error:
        console.print(f"[bold red]{error}[/]", markup=True, highlight=False)
        return 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    lines = judge(bench.figures)
    show(console, lines)
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / f"gateway-{started_at:%Y%m%dT%H%M%SZ}.json"
    how = {**vars(options), "output": str(options.output)}
    verdicts = [vars(line) for line in lines]
    file.write_text(
        json.dumps({**about, "options": how, "figures": bench.figures, "verdicts": verdicts}, indent=2) + "\n"
    )
    console.print(f"written to {file}")
    if options.quick:
        console.print("[dim]a quick run: the budgets are for full size, only faults count here[/]")
    good = all(part.get("good", True) for part in bench.figures.values())
    kept = all(line.kept is not False for line in lines if not options.quick or line.budget == "0")
    return 0 if good and kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
