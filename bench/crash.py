"""Kill the server or its PostgreSQL under load, again and again, and look for losses.

Stations charge and write down every answer. At random moments the target is killed with kill -9 and comes
back; the stations deliver again what was not answered, some with the same message id, some with a new one. At
the end of each round of kills the database is compared with what the stations know: everything that was
answered must be there, and nothing may have had its effect twice. With target postgres the stations' sockets
must have stayed open. With target points the server dies by itself at named points of a message, in turn: when it is
received, before its commit, between commit and answer, and after the answer. With target standby there are two PostgreSQLs:
the primary is killed and its synchronous standby promoted, which has to hold everything; the sockets must stay open, and
the server has to find the new primary by itself.
"""

import argparse
import asyncio
import contextlib
import os
import random
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.crash_check import Findings, check
from bench.crash_stations import CrashStation, Journal
from bench.dying import POINTS
from bench.load import identity_of
from bench.servers import BenchError, Server, pilotwire_command, register_stations
from bench.standby import StandbyPair, free_ports

PREFIX = "CRASH-"
VERSIONS = ("1.6", "2.0.1", "2.1")
TARGETS = ("server", "postgres", "points", "standby")
_MOST_PASSED = 120
"""At a named point the server dies when it has passed it so often at most."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class CrashOptions:
    """How often to kill what; a round of kills ends with a verification."""

    kills: int = 20
    target: str = "server"
    stations: int = 45
    seed: int = 0
    kills_per_round: int = 25
    longest_wait_s: float = 1.5
    recovery_s: float = 120.0


@dataclass
class Report:
    """What a crash run found; `recoveries_s` counts from the kill to the next answered message."""

    kills: int = 0
    answered: int = 0
    sessions: int = 0
    repeats: int = 0
    disconnects: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    faults: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return self.findings.good and not self.faults

    def add(self, journal: Journal, findings: Findings) -> None:
        self.answered += len(journal.answered)
        self.sessions += len(journal.charges)
        self.repeats += journal.repeats
        self.disconnects += journal.disconnects
        self.faults += journal.faults
        self.findings.add(findings)

    def __str__(self) -> str:
        found = self.findings
        counts = f"{self.kills} kills, {self.answered:,} answered messages, {self.sessions:,} sessions"
        slowest = max(self.recoveries_s, default=0.0)
        lines = [
            f"{counts}, {self.repeats:,} repeated deliveries, {self.disconnects:,} lost connections",
            f"service was back after {slowest:.1f} s at the latest",
        ]
        bad = {"lost": found.lost, "twice": found.doubled, "wrong": found.wrong, "fault": self.faults}
        for name, texts in bad.items():
            lines += [f"{name}: {len(texts):,}", *(f"  {text}" for text in texts[:10])]
        return "\n".join(lines)


class CrashEngine:
    """One server on fixed ports with its own embedded PostgreSQL or on a pair of them, killed in one place."""

    def __init__(self, options: CrashOptions, directory: Path, tell: Tell) -> None:
        self.options = options
        self.data_dir = directory / "data"
        self._log = directory / "pilotwire.log"
        self._tell = tell
        self._random = random.Random(options.seed)
        self._password = secrets.token_urlsafe(18)
        self._api_key = secrets.token_urlsafe(32)
        self._http, self._ocpp = (f"127.0.0.1:{port}" for port in free_ports(2))
        self._pair = StandbyPair(directory / "pair") if options.target == "standby" else None
        self.report = Report()

    async def run(self) -> Report:
        """Do all the kills, round by round, and report.

        Raises: BenchError when the server does not start or service does not come back.
        """
        try:
            if self._pair is not None:
                await self._pair.start()
            await self._kills()
        finally:
            if self._pair is not None:
                await self._pair.stop()
        return self.report

    async def _kills(self) -> None:
        server = await self._start()
        try:
            await register_stations(server.http, self._api_key, self.options.stations, PREFIX, self._password)
            while self.report.kills < self.options.kills:
                kills = min(self.options.kills_per_round, self.options.kills - self.report.kills)
                server = await self._round(server, kills)
        finally:
            code = await server.stop()
        if code != 0:
            self.report.faults.append(f"the server ended with {code} after SIGTERM\n{server.last_words()}")

    async def _start(self, point: str = "") -> Server:
        """Start the server; with a point, one that dies there before long."""
        arguments = ("serve", "--data-dir", str(self.data_dir), "--http", self._http, "--ocpp", self._ocpp)
        command = pilotwire_command(*arguments)
        if point:
            passed = str(self._random.randint(1, _MOST_PASSED))
            command = [sys.executable, "-m", "bench.dying", point, passed, *arguments]
        environment = {"PILOTWIRE_BOOTSTRAP_API_KEY": self._api_key}
        if self._pair is not None:
            environment["PILOTWIRE_DATABASE_URL"] = self._pair.dsn
        return await Server.start(command, self._log, environment)

    async def _round(self, server: Server, kills: int) -> Server:
        since, journal = datetime.now(UTC), Journal()
        stations = [
            CrashStation(
                server.ocpp, identity_of(PREFIX, n), self._password, VERSIONS[n % len(VERSIONS)], journal
            )
            for n in range(self.options.stations)
        ]
        tasks = [asyncio.create_task(station.run()) for station in stations]
        try:
            for _ in range(kills):
                await self._answers_come(journal)
                await asyncio.sleep(self._random.random() * self.options.longest_wait_s)
                server = await self._kill(server, journal)
            await self._answers_come(journal)
            for station in stations:
                station.stopping = True
            await asyncio.wait_for(asyncio.gather(*tasks), self.options.recovery_s)
        except TimeoutError:
            raise BenchError("the stations could not finish what they had begun") from None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        findings = await self._verify(journal, since)
        self.report.add(journal, findings)
        found = f"lost {len(findings.lost)}, twice {len(findings.doubled)}, wrong {len(findings.wrong)}"
        self._tell(
            f"after {self.report.kills} kills: {len(journal.answered):,} answered in this round, {found}"
        )
        return server

    async def _kill(self, server: Server, journal: Journal) -> Server:
        killed_at, disconnects = time.monotonic(), journal.disconnects
        if self.options.target == "server":
            await server.kill()
            server = await self._start()
        elif self.options.target == "points":
            await server.kill()
            server = await self._start(POINTS[self.report.kills % len(POINTS)])
            await self._death_of(server)
            killed_at = time.monotonic()
            server = await self._start()
        elif self._pair is not None:
            await self._pair.kill_primary()
            await self._pair.promote()
        else:
            pid = self._postmaster_pid()
            os.kill(pid, signal.SIGKILL)
            await self._postmaster_other_than(pid)
        await self._answers_come(journal)
        self.report.kills += 1
        self.report.recoveries_s.append(time.monotonic() - killed_at)
        back = f"service back after {self.report.recoveries_s[-1]:.2f} s"
        self._tell(f"kill {self.report.kills} of {self.options.kills}: {back}")
        if self.options.target in ("postgres", "standby") and journal.disconnects > disconnects:
            self.report.faults.append(
                f"{journal.disconnects - disconnects} sockets closed as PostgreSQL was away"
            )
        if self._pair is not None:
            await self._pair.rebuild()
        return server

    async def _death_of(self, server: Server) -> None:
        """Wait until the server has killed itself."""
        try:
            code = await asyncio.wait_for(server.process.wait(), self.options.recovery_s)
        except TimeoutError:
            raise BenchError(
                f"the server did not come to its end in {self.options.recovery_s:.0f} s"
            ) from None
        if code != -signal.SIGKILL:
            raise BenchError(f"the server ended with {code} by itself\n{server.last_words()}")

    async def _answers_come(self, journal: Journal) -> None:
        """Wait until stations are being answered."""
        until = time.monotonic() + self.options.recovery_s
        before = len(journal.answered)
        for _ in iter(lambda: len(journal.answered) > before, True):
            if time.monotonic() > until:
                raise BenchError(f"no message was answered for {self.options.recovery_s:.0f} s")
            await asyncio.sleep(0.02)

    def _cluster(self) -> Path:
        found = sorted(self.data_dir.rglob("PG_VERSION"), key=lambda path: len(path.parts))
        if not found:
            raise BenchError(f"no PostgreSQL below {self.data_dir}")
        return found[0].parent

    def _postmaster_pid(self) -> int:
        """Return 0 while there is none."""
        with contextlib.suppress(FileNotFoundError, IndexError):
            return int((self._cluster() / "postmaster.pid").read_text().split(maxsplit=1)[0])
        return 0

    async def _postmaster_other_than(self, pid: int) -> None:
        """Wait until PostgreSQL was started again."""
        until = time.monotonic() + self.options.recovery_s
        for _ in iter(lambda: self._postmaster_pid() not in (0, pid), True):
            if time.monotonic() > until:
                raise BenchError(f"PostgreSQL was not started again in {self.options.recovery_s:.0f} s")
            await asyncio.sleep(0.02)

    async def _verify(self, journal: Journal, since: datetime) -> Findings:
        if self._pair is not None:
            return await check(self._pair.dsn, journal, since)
        from pilotwire.db.embedded import EmbeddedPostgres

        postgres = EmbeddedPostgres(self._cluster().parent)
        try:
            return await check(await postgres.start(), journal, since)
        finally:
            await postgres.stop()


async def crash(options: CrashOptions, directory: Path, tell: Tell = lambda _: None) -> Report:
    """Run the kills in `directory`; it has to be open to other users when PostgreSQL is started as root."""
    return await CrashEngine(options, directory, tell).run()


def parse(arguments: list[str]) -> CrashOptions:
    """Read the command line of `python -m bench crash`."""
    default = CrashOptions()
    parser = argparse.ArgumentParser(
        prog="python -m bench crash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=default.kills, help=f"how often ({default.kills})")
    parser.add_argument("--target", choices=TARGETS, default=default.target, help="what is killed (server)")
    parser.add_argument("--stations", type=int, default=default.stations, help=f"({default.stations})")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the moments (random)")
    return CrashOptions(**vars(parser.parse_args(arguments)))


def main(arguments: list[str]) -> int:
    """Run the kills and print what was found; 1 when anything was lost, doubled or wrong."""
    options, console = parse(arguments), Console(highlight=False)
    directory = Path(tempfile.mkdtemp(prefix="pilotwire-crash-"))
    directory.chmod(0o755)  # the embedded PostgreSQL may run as another user, who has to get to its directory
    console.print(f"{options.kills} x kill -9 of the {options.target}, seed {options.seed}, in {directory}")
    try:
        report = asyncio.run(crash(options, directory, lambda text: console.print(f"[dim]{text}[/]")))
    except BenchError as error:
        console.print(str(error), style="bold red", markup=False)
        return 1
    console.print(str(report), style="green" if report.good else "bold red", markup=False)
    if report.good:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        console.print(f"left as it is for a look: {directory}")
    return 0 if report.good else 1
