"""Keeps what is known of stations' variables: folds reports and answers into it, and has unread stations read.

What stations report is on disk as it came before this sees it; a report whose folding is lost with the process counts
as incomplete, and its station is read again.
"""

import asyncio
from collections import deque
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
import structlog

from pilotwire.bus import LocalBus
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.configuration import reading_repository as readings
from pilotwire.domain.configuration.events import DeviceModelRead, ReportAsked, TemplatesChanged
from pilotwire.domain.configuration.model import ReadingState, ReportPage, Source
from pilotwire.domain.configuration.repository import drop_unreported, keep_values, note_outcomes
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.operations.commands import (
    Command,
    ReadSettings,
    RepairSettings,
    SetConfiguration,
    WriteSettings,
)
from pilotwire.domain.operations.compose import number_of
from pilotwire.domain.operations.events import CommandChanged, StationReady
from pilotwire.domain.operations.repository import find_answer
from pilotwire.domain.operations.settings import outcomes_of, reports_of
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_commands
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.ports import StationChanged
from pilotwire.domain.stations.records import ReportKept, StationBootKept
from pilotwire.jobs.drift import DriftFinder
from pilotwire.jobs.resets import ResetGiver

__all__ = ["DeviceModelKeeper"]

log = structlog.get_logger(__name__)

_ABOUT_SETTINGS = frozenset(
    {
        "get_configuration", "get_variables", "read_settings", "repair_settings", "set_configuration", "set_variables",
        "write_settings",
    }
)  # fmt: skip
_ANSWERED = frozenset({"done", "rejected", "failed", "timed_out"})
_LOOK_S = 1.0
_READ_AGAIN_S = 60.0
_READ_AT_ONCE = 500
_MOST_WAITING = 20_000


class _Report:
    """The pages of one report, as they come."""

    __slots__ = ("asked", "deadline", "last", "seen", "variables")

    def __init__(self, asked: ReportAsked | None, deadline: float) -> None:
        self.asked = asked
        self.deadline = deadline
        self.seen: set[int] = set()
        self.last: int | None = None
        self.variables = 0

    @property
    def whole(self) -> bool:
        """Whether every page has come."""
        return self.last is not None and len(self.seen) == self.last + 1

    def state(self) -> tuple[ReadingState, str]:
        """Say how the report ended, and what is wrong with it."""
        if self.whole:
            return ReadingState.COMPLETE, ""
        if not self.seen:
            return ReadingState.FAILED, "the station accepted, but sent no report"
        if self.last is None:
            return ReadingState.INCOMPLETE, f"the report broke off after {len(self.seen)} pages"
        missing = islice((str(number) for number in range(self.last) if number not in self.seen), 20)
        return ReadingState.INCOMPLETE, f"page {', '.join(missing)} of {self.last + 1} did not come"


class DeviceModelKeeper:
    """Works off what the bus tells, one thing after the other. `page_patience_s` is how long a next page may take."""

    def __init__(
        self,
        means: Means,
        *,
        reads: bool = True,
        read_delay_s: float = 10.0,
        page_patience_s: float = 60.0,
    ) -> None:
        self._means = means
        self._reads = reads
        self._read_delay_s = read_delay_s
        self._page_patience_s = page_patience_s
        self._waiting: deque[Any] = deque()
        self._wake = asyncio.Event()
        self._reports: dict[tuple[int, int], _Report] = {}
        self._ready: dict[int, float] = {}
        self._drift = DriftFinder(means.db, means.bus, means.clock)
        self._resets = ResetGiver(means)
        self._listen(means.bus)

    @property
    def _db(self) -> Database:
        return self._means.db

    def _listen(self, bus: LocalBus) -> None:
        bus.subscribe(ReportKept, self._reported)
        bus.subscribe(ReportAsked, self._add)
        bus.subscribe(CommandChanged, self._command_changed)
        bus.subscribe(StationReady, self._station_ready)
        bus.subscribe(StationBootKept, self._booted)
        bus.subscribe(SessionKept, self._session_kept)
        bus.subscribe(TemplatesChanged, self._add)
        bus.subscribe(StationChanged, lambda notice: self._drift.add(notice.record.id))

    async def run(self) -> None:
        """Work until cancelled."""
        await retry_while_away(self._recover, lambda: True)
        while True:
            while self._waiting:
                await self._take(self._waiting[0])
                self._waiting.popleft()
            await self._look()
            self._wake.clear()
            if not self._waiting:
                try:
                    await asyncio.wait_for(self._wake.wait(), _LOOK_S)
                except TimeoutError:
                    continue

    # What others say: between two frames of stations, so it is only put by

    def _add(self, notice: Any) -> None:
        self._waiting.append(notice)
        self._wake.set()

    def _reported(self, notice: ReportKept) -> None:
        if not isinstance(notice.meaning, ReportPage):
            return
        if len(self._waiting) >= _MOST_WAITING:
            log.warning(
                "reports come faster than they can be folded; one is left out", station=notice.identity
            )
            return
        self._add(msgspec.structs.replace(notice, content=""))  # what it says is enough

    def _command_changed(self, notice: CommandChanged) -> None:
        if notice.command in _ABOUT_SETTINGS and notice.state in _ANSWERED:
            self._add(notice)

    def _station_ready(self, notice: StationReady) -> None:
        if self._reads:
            due = asyncio.get_running_loop().time() + self._read_delay_s
            self._ready.setdefault(notice.station_id, due)

    def _booted(self, notice: StationBootKept) -> None:
        self._drift.add(notice.station_id)  # with another firmware other templates may fit
        if self._resets.expects(notice.station_id):
            self._add(notice)

    def _session_kept(self, notice: SessionKept) -> None:
        if notice.facts.ended and self._resets.waits_for(notice.station_id):
            self._add(notice)

    # Work

    async def _recover(self) -> None:
        async with self._db.service.acquire() as connection:
            for station_id in await readings.list_interrupted(connection):
                self._drift.add(station_id)
        await self._resets.recover()

    async def _take(self, notice: Any) -> None:
        try:
            await retry_while_away(lambda: self._handle(notice), lambda: True)
        except Exception:
            log.exception(
                "what a station said of its settings could not be kept", notice=type(notice).__name__
            )

    async def _handle(self, notice: Any) -> None:
        match notice:
            case ReportKept():
                await self._fold(notice, notice.meaning)
            case ReportAsked():
                await self._asked(notice)
            case CommandChanged():
                await self._answered(notice)
            case StationBootKept():
                await self._resets.booted(notice.station_id)
            case SessionKept():
                await self._resets.idle(notice.station_id)
            case TemplatesChanged(tenant_id=tenant_id):
                await self._drift.add_tenant(tenant_id)

    async def _asked(self, notice: ReportAsked) -> None:
        self._reports[notice.station_id, notice.number] = _Report(notice, self._deadline())
        async with self._db.service.acquire() as connection:
            await readings.note_reading(connection, notice.station_id, notice.at)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._page_patience_s

    async def _fold(self, notice: ReportKept, page: ReportPage) -> None:
        async with self._db.service.acquire() as connection, connection.transaction():
            await keep_values(
                connection,
                notice.tenant_id,
                notice.station_id,
                page.entries,
                source=page.source,
                at=notice.received_at,
            )
        self._drift.add(notice.station_id)
        if page.source is not Source.REPORT:
            return
        report = self._reports.setdefault((notice.station_id, page.number), _Report(None, 0))
        report.deadline = self._deadline()
        report.variables += len(page.entries) if page.seq_no not in report.seen else 0
        report.seen.add(page.seq_no)
        if page.last:
            report.last = page.seq_no
            # In order as they come, a page before that is missing was refused: it may be sent once more.
            report.deadline = min(
                report.deadline, asyncio.get_running_loop().time() + self._page_patience_s / 6
            )
        if report.whole:
            await self._finish(notice.station_id, page.number, report)

    async def _finish(self, station_id: int, number: int, report: _Report) -> None:
        asked = report.asked
        if asked is not None:
            state, detail = report.state()
            now = self._means.clock()
            async with self._db.service.acquire() as connection, connection.transaction():
                if state is ReadingState.COMPLETE and asked.whole:
                    await drop_unreported(connection, station_id, asked.at)
                elif state is ReadingState.COMPLETE:
                    detail = "the station reports what can be configured only"
                await readings.note_read(connection, station_id, state, len(report.seen), detail, now)
            self._drift.add(station_id)
            self._means.bus.publish(
                DeviceModelRead(
                    asked.tenant_id, station_id, asked.identity, number, state, len(report.seen), report.variables,
                    detail,
                )
            )  # fmt: skip
            if state is not ReadingState.COMPLETE:
                self._read_again(station_id)
        self._reports.pop((station_id, number), None)

    def _read_again(self, station_id: int) -> None:
        if self._reads:
            self._ready[station_id] = asyncio.get_running_loop().time() + _READ_AGAIN_S

    async def _answered(self, notice: CommandChanged) -> None:
        now = self._means.clock()
        async with self._db.service.acquire() as connection:
            found = await find_answer(connection, notice.number)
            if found is None:
                return
            station_id, command, result, giver = found
            source, entries = reports_of(command, result)
            if isinstance(command, SetConfiguration) and notice.outcome != "accepted":
                entries = []
            by = giver if source is Source.WRITE else ""
            read: DeviceModelRead | None = None
            async with connection.transaction():
                await keep_values(
                    connection, notice.tenant_id, station_id, entries, source=source, at=now, by=by
                )
                await note_outcomes(connection, station_id, outcomes_of(command, result))
                if isinstance(command, ReadSettings) and not command.names:
                    read = await self._note_reading(connection, notice, station_id, result, now)
        if read is not None:  # only now others can see what was read
            self._means.bus.publish(read)
        self._drift.add(station_id)
        if _needs_reboot(command, notice, result):
            idle = isinstance(command, WriteSettings | RepairSettings) and command.reset == "on_idle"
            await self._resets.wanted(station_id, on_idle=idle)

    async def _note_reading(
        self, connection: Any, notice: CommandChanged, station_id: int, result: dict[str, Any], now: datetime
    ) -> DeviceModelRead | None:
        """Keep how the reading of all settings ended: with the answer (1.6), which is news, or with no report at all."""
        if "whole" in result:
            whole = bool(result["whole"])
            state = ReadingState.COMPLETE if whole else ReadingState.INCOMPLETE
            detail = (
                "" if whole else "the station's answer was cut off: the standard keys were asked for singly"
            )
            await readings.note_read(connection, station_id, state, 1, detail, now)
            if whole:
                await drop_unreported(connection, station_id, now)
            count = len(result.get("settings", ()))
            return DeviceModelRead(
                notice.tenant_id,
                station_id,
                notice.identity,
                number_of(notice.number),
                state,
                1,
                count,
                detail,
            )
        if notice.state != "done" and notice.outcome not in ("incomplete", "failed"):
            self._reports.pop((station_id, number_of(notice.number)), None)
            detail = f"{notice.outcome}: {notice.detail}".rstrip(": ")
            await readings.note_read(connection, station_id, ReadingState.FAILED, 0, detail, now)
        return None

    # What time brings

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        overdue = [key for key, report in self._reports.items() if report.deadline <= now]
        for station_id, number in overdue:
            await self._quietly(self._finish(station_id, number, self._reports[station_id, number]))
        due = [station_id for station_id, at in self._ready.items() if at <= now][:_READ_AT_ONCE]
        if due:
            await self._quietly(self._read(due))
        await self._quietly(self._drift.work())

    async def _quietly(self, work: Any) -> None:
        try:
            await work
        except Exception as error:
            log.warning("device models could not be looked after; next try soon", error=repr(error))
            await asyncio.sleep(_LOOK_S)

    async def _read(self, station_ids: list[int]) -> None:
        """Have those read that never were, or not since their firmware changed: one task for each tenant."""
        now = self._means.clock()
        async with self._db.service.acquire() as connection:
            unread = await readings.list_unread(connection, station_ids, now)
            for station_id in station_ids:
                self._ready.pop(station_id, None)
            if not unread:
                return
            await readings.note_asked(connection, [each.station_id for each in unread], now)
        tenants: dict[int, list[str]] = {}
        for each in unread:
            tenants.setdefault(each.tenant_id, []).append(each.identity)
        plan = Plan(expires_in_s=3600, concurrency=20, note="new stations and new firmware are read")
        for tenant_id, identities in tenants.items():
            await give_commands(self._means, system_principal(tenant_id), identities, ReadSettings(), plan)


def _needs_reboot(command: Command, notice: CommandChanged, result: dict[str, Any]) -> bool:
    if notice.outcome == "reboot_required":
        return True
    written = isinstance(command, WriteSettings | RepairSettings)
    return written and any(each["outcome"] == "reboot_required" for each in result.get("settings", ()))
