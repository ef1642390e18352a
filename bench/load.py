"""Drive an OCPP server with N stations: saturate, offered, storm or idle. Every answer is checked.

saturate  each station sends its next CALL the moment the last one is answered
offered   a fixed total rate, open loop; latency counts from when a message was due, sent or not
storm     all stations connect and boot as fast as the server lets them, until every boot is accepted
idle      connect and boot, then hold the connections; with --events the first --first connect, a line on
          standard input connects the others, and another line or the end of input ends the run
"""

import argparse
import asyncio
import gc
import json
import random
import sys
import time
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.frames import CYCLE, DIALECTS, KIND_NAMES
from bench.limits import raise_open_files
from bench.stations import Connector, Run, Station

MODES = ("saturate", "offered", "storm", "idle")
DRAIN_S = 10.0


@dataclass(frozen=True)
class Options:
    """How to drive; `rate_per_s` concerns mode offered only, `first` mode idle only."""

    url: str
    password: str
    mode: str = "saturate"
    stations: int = 1000
    versions: tuple[str, ...] = ("1.6", "2.0.1", "2.1")
    seconds: float = 15.0
    warmup_s: float = 3.0
    rate_per_s: float = 3000.0
    id_prefix: str = "BENCH-"
    first: int = 0
    connect_window: int = 256
    sources: int = 1
    ready_timeout_s: float = 120.0
    events: bool = False
    hold: bool = False


def identity_of(prefix: str, number: int) -> str:
    """Return the identity of station `number` (from 0): the prefix and at least five digits (from 1)."""
    return f"{prefix}{number + 1:05d}"


def percentiles_ms(values_s: Any) -> dict[str, float]:
    """Return p50, p95, p99 and max in milliseconds; empty when there are no values."""
    ordered = sorted(values_s)
    if not ordered:
        return {}
    last = len(ordered) - 1
    found = {f"p{p}": ordered[min(last, int(len(ordered) * p / 100))] for p in (50, 95, 99)}
    return {name: round(value * 1000, 3) for name, value in {**found, "max": ordered[last]}.items()}


class Load:
    """One run of the load generator."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.run = Run(_do_nothing, reconnect=options.mode == "storm")
        self.run.expected_ready = options.stations
        self.connector = Connector(
            options.url, options.password, options.connect_window, sources=options.sources
        )
        self.stations = [
            Station(
                self.run, n, identity_of(options.id_prefix, n), options.versions[n % len(options.versions)]
            )
            for n in range(options.stations)
        ]
        if options.mode in ("saturate", "offered"):
            for number, station in enumerate(self.stations):
                station.plan_cycle_from(number * 7 % len(CYCLE))

    def tell(self, event: str, **facts: Any) -> None:
        """Report progress: with --events as JSON on standard output, else for people on standard error."""
        if self.options.events:
            print(json.dumps({"event": event, **facts}), flush=True)
        elif event != "result":
            print(f"{event} " + " ".join(f"{k}={v}" for k, v in facts.items()), file=sys.stderr, flush=True)

    async def perform(self) -> dict[str, Any]:
        """Run the chosen mode and return its figures."""
        clock = asyncio.create_task(self.run.keep_time())
        progress = asyncio.create_task(self._report_progress())
        await asyncio.sleep(0.01)
        gc.collect()
        gc.disable()  # no cycles are made while measuring; a collection would show up as latency
        started_cpu_s = time.process_time()
        modes = {"saturate": self._flow, "offered": self._flow, "storm": self._storm, "idle": self._idle}
        figures = await modes[self.options.mode]()
        progress.cancel()
        figures.update(await self._finish())
        figures["generator_cpu_s"] = round(time.process_time() - started_cpu_s, 3)
        clock.cancel()
        return figures

    async def _report_progress(self) -> None:
        while True:
            await asyncio.sleep(1)
            run = self.run
            self.tell("progress", connected=run.connected, ready=run.ready, answered=sum(run.answered))

    async def _get_ready(self) -> None:
        await self.connector.connect_all(self.stations)
        self.tell("connected", connected=self.run.connected)
        try:
            await asyncio.wait_for(self.run.all_ready.wait(), self.options.ready_timeout_s)
        except TimeoutError:
            self.run.fault(
                "not ready in time", f"{self.run.ready} of {self.run.expected_ready} stations are ready"
            )
        self.tell("ready", ready=self.run.ready)

    async def _flow(self) -> dict[str, Any]:
        """Warm up, measure a window, stop sending."""
        await self._get_ready()
        run, options = self.run, self.options
        if options.hold:
            self.tell("held", connected=run.connected)
            await asyncio.to_thread(sys.stdin.readline)
        run.flowing = True
        if options.mode == "saturate":
            run.on_free = _send_next
            now = time.perf_counter()
            for station in self.stations:
                if station.ready and not station.pending_id:
                    station.advance(now)
            sender = None
        else:
            run.on_free = _send_backlog
            sender = asyncio.create_task(self._offer())
        await asyncio.sleep(options.warmup_s)
        del run.latencies_s[:], run.lags_s[:]
        before, cpu_s, start = sum(run.answered), time.process_time(), time.perf_counter()
        self.tell("measuring", answered=before)
        await asyncio.sleep(options.seconds)
        messages, elapsed_s = sum(run.answered) - before, time.perf_counter() - start
        self.tell("measured", answered=before + messages)
        cpu_s = time.process_time() - cpu_s
        if sender is not None:
            await sender
        run.flowing = False
        await self._drain()
        figures: dict[str, Any] = {
            "messages": messages,
            "seconds": round(elapsed_s, 3),
            "messages_per_s": round(messages / elapsed_s, 1),
            "latency_ms": percentiles_ms(run.latencies_s),
            "generator_us_per_message": round(cpu_s / max(messages, 1) * 1e6, 2),
            "generator_busy": round(cpu_s / elapsed_s, 3),
        }
        if sender is not None:
            figures["generator_lag_ms"] = percentiles_ms(run.lags_s)
        return figures

    async def _offer(self) -> None:
        """Give out messages at the moments they are due, whatever the server does."""
        options = self.options
        order = list(self.stations)
        random.Random(7).shuffle(order)
        total = int(options.rate_per_s * (options.warmup_s + options.seconds))
        start, given = time.perf_counter(), 0
        while given < total:
            due_by_now = min(total, int((time.perf_counter() - start) * options.rate_per_s) + 1)
            while given < due_by_now:
                order[given % len(order)].offer(start + given / options.rate_per_s)
                given += 1
            await asyncio.sleep(0.001)

    async def _drain(self) -> None:
        """Wait for what is outstanding; what is still unanswered after DRAIN_S is lost."""
        until = time.monotonic() + DRAIN_S
        outstanding = self.stations
        while outstanding and time.monotonic() < until:
            outstanding = [s for s in outstanding if s.transport and (s.pending_id or s.backlog)]
            await asyncio.sleep(0.02)

    async def _storm(self) -> dict[str, Any]:
        start = time.perf_counter()
        await self.connector.connect_all(self.stations)
        elapsed_s = time.perf_counter() - start
        self.tell("measured", ready=self.run.ready)
        return {"seconds": round(elapsed_s, 3), "latency_ms": percentiles_ms(self.run.latencies_s)}

    async def _idle(self) -> dict[str, Any]:
        options = self.options
        start = time.perf_counter()
        first = self.stations[: options.first]
        rest = self.stations[options.first :]
        self.run.expected_ready = len(first)
        for part in (first, rest):
            if part is rest:
                self.run.expected_ready = len(self.stations)
                self.run.all_ready.clear()
            if part:
                await self.connector.connect_all(part)
                await asyncio.wait_for(self.run.all_ready.wait(), options.ready_timeout_s)
            self.tell("held", connected=self.run.connected)
            if options.events:
                await asyncio.to_thread(sys.stdin.readline)
        if not options.events:
            await asyncio.sleep(options.seconds)
        return {"held": self.run.connected, "seconds": round(time.perf_counter() - start, 3)}

    async def _finish(self) -> dict[str, Any]:
        run = self.run
        lost = sum(len(s.backlog) + bool(s.pending_id) for s in self.stations)
        never_ready = sum(not s.ready for s in self.stations)
        run.closing = True
        for number, station in enumerate(self.stations):
            if station.transport is not None:
                station.transport.disconnect()
            if number % 500 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        return {
            "mode": self.options.mode,
            "stations": self.options.stations,
            "versions": list(self.options.versions),
            "answered": dict(zip(KIND_NAMES, run.answered, strict=True)),
            "answered_total": sum(run.answered),
            "lost": lost,
            "never_ready": never_ready,
            "faults": dict(run.faults),
            "examples": run.examples,
            "refused": {_REFUSALS.get(k, str(k)): v for k, v in run.refused.items()},
            "server_calls": run.server_calls,
            "good": not (lost or never_ready or run.faults),
        }


_REFUSALS = {0: "boot_not_accepted", -1: "connect_failed"}


def _do_nothing(_: Station, __: float) -> None:
    """What a ready station does before its mode begins, and in storm and idle."""


def _send_next(station: Station, now: float) -> None:
    if station.run.flowing:
        station.advance(now)


def _send_backlog(station: Station, _: float) -> None:
    if station.backlog:
        station.advance(station.backlog.popleft())


def parse(arguments: list[str]) -> Options:
    """Read the command line of `python -m bench load`."""
    parser = argparse.ArgumentParser(
        prog="python -m bench load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--url", required=True, help="where the stations connect, without identity: ws://HOST:PORT/ocpp"
    )
    parser.add_argument("--password", default="", help="the stations' common password")
    parser.add_argument("--mode", choices=MODES, default="saturate")
    parser.add_argument("--stations", type=int, default=1000, metavar="N")
    parser.add_argument("--versions", default="1.6,2.0.1,2.1", help="OCPP versions in turn, comma-separated")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of the measured window")
    parser.add_argument("--warmup", type=float, default=3.0, dest="warmup_s", metavar="SECONDS")
    parser.add_argument(
        "--rate", type=float, default=3000.0, dest="rate_per_s", help="messages/s in total (offered)"
    )
    parser.add_argument(
        "--hold",
        action="store_true",
        help="when all are ready, send nothing until a line comes on standard input",
    )
    parser.add_argument("--id-prefix", default="BENCH-", help="identities are PREFIX00001, PREFIX00002, ...")
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="connections of the first step (idle)"
    )
    parser.add_argument(
        "--connect-window", type=int, default=256, metavar="N", help="handshakes at the same time"
    )
    parser.add_argument("--sources", type=int, default=1, metavar="N", help="loopback addresses to come from")
    parser.add_argument("--events", action="store_true", help="JSON lines on standard output, for programs")
    values = vars(parser.parse_args(arguments))
    values["versions"] = tuple(values["versions"].split(","))
    unknown = set(values["versions"]) - set(DIALECTS)
    if unknown:
        parser.error(f"unknown OCPP version: {', '.join(sorted(unknown))}")
    return Options(**values)


def main(arguments: list[str]) -> int:
    """Run the load and print its figures; 1 when any message was lost, refused or answered wrongly."""
    options = parse(arguments)
    limit = raise_open_files()
    if limit < options.stations + 64:
        print(f"only {limit} files may be open: too few for {options.stations} stations", file=sys.stderr)
        return 2

    async def perform() -> dict[str, Any]:
        load = Load(options)
        figures = await load.perform()
        load.tell("result", **figures)
        return figures

    figures = uvloop.run(perform())
    if not options.events:
        print(json.dumps(figures, indent=2))
    if not figures["good"]:
        print("THE LOAD FOUND FAULTS:", figures["faults"], "lost:", figures["lost"], file=sys.stderr)
    return 0 if figures["good"] else 1
