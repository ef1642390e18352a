"""Looks for sessions that are over and do not say so, for full cars, and for sessions that never began.

What is to be done is decided by the rules in `domain.supervision`; here it is done.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from pilotwire.core.errors import PilotwireError
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.operations import repository as commands
from pilotwire.domain.operations.commands import Command, GetTransactionStatus, Trigger
from pilotwire.domain.operations.events import CommandChanged
from pilotwire.domain.operations.model import Order, Readiness, Reply
from pilotwire.domain.operations.usecases.give_commands import Means
from pilotwire.domain.sessions.errors import SessionOver
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.sessions.repository import append_note
from pilotwire.domain.sessions.settle import SessionDesk, Settling
from pilotwire.domain.supervision import repository as rows
from pilotwire.domain.supervision.events import CarFull, SessionOverlong, StartMissing, StopMissing
from pilotwire.domain.supervision.full import Fullness, find_full, goes_on
from pilotwire.domain.supervision.judge import judge_session
from pilotwire.domain.supervision.model import Ask, Cause, Report, Rules, Said, Settle
from pilotwire.domain.supervision.repository import Suspect

__all__ = ["Supervisor"]

log = structlog.get_logger(__name__)

_AT_ONCE = 20
_MOST = 500


class Supervisor:
    """Watches over all open sessions."""

    def __init__(
        self, means: Means, session_desk: SessionDesk, rules: Rules, *, interval_s: float = 60
    ) -> None:
        self._means = means
        self._session_desk = session_desk
        self._rules = rules
        self._interval_s = interval_s
        self._full: dict[UUID, datetime] = {}
        self._unstarted: set[tuple[int, int, datetime]] = set()
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        means.bus.subscribe(SessionKept, self._heard)
        means.bus.subscribe(CommandChanged, self._command_changed)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await retry_while_away(self._recall, lambda: True)
            while True:
                try:
                    await retry_while_away(self.look, lambda: True)
                except Exception:
                    log.exception("sessions could not be looked at; next try soon")
                await asyncio.sleep(self._interval_s)
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look(self) -> None:
        """Look at every session that may need it, once."""
        now = self._means.clock()
        async with self._means.db.service.acquire() as connection:
            suspects = await rows.list_suspects(connection, self._rules, now, _MOST)
            unstarted = await rows.list_unstarted(connection, self._rules, now, _MOST)
        found = {(each.station_id, each.evse_no, each.since): each for each in unstarted}
        for key in found.keys() - self._unstarted:
            each = found[key]
            detail = {"cause": "connector_charges", "since": each.since}
            self._means.bus.publish(
                StartMissing(each.tenant_id, each.station_id, each.identity, None, each.evse_no, now, detail)
            )
        self._unstarted = set(found)
        await asyncio.gather(*(self._look_at(suspect, now) for suspect in suspects))

    # Full cars

    async def _recall(self) -> None:
        async with self._means.db.service.acquire() as connection:
            self._full |= await rows.list_full(connection)

    def _heard(self, notice: SessionKept) -> None:
        facts = notice.facts
        # The hash of a UUID is slow, and this is heard for every message of a session.
        since = self._full.get(facts.id) if self._full else None
        if since is not None:
            if facts.over:
                del self._full[facts.id]
            elif goes_on(facts, since):
                del self._full[facts.id]
                self._spawn(self._not_full(facts.id))
            return
        full = find_full(facts, self._rules, 0.0)
        if full is not None:
            self._full[facts.id] = full.since
            subject = (notice.tenant_id, notice.station_id, notice.identity, facts.id, facts.evse_no)
            self._spawn(self._keep_full(subject, full))

    async def _keep_full(self, subject: tuple[int, int, str, UUID, int | None], full: Fullness) -> None:
        tenant_id, station_id, _, session_id, _ = subject
        now = self._means.clock()
        detail = {"since": full.since, "evidence": full.evidence}

        async def keep() -> None:
            async with self._means.db.service.acquire() as connection, connection.transaction():
                if not await rows.keep_full(connection, session_id, tenant_id, station_id, full):
                    return
                await append_note(connection, session_id, "full", now, detail)
            self._means.bus.publish(CarFull(*subject, now, detail))

        await retry_while_away(keep, lambda: True)

    async def _not_full(self, session_id: UUID) -> None:
        async def keep() -> None:
            async with self._means.db.service.acquire() as connection:
                await rows.take_back_full(connection, session_id)

        await retry_while_away(keep, lambda: True)

    # Sessions that are over and do not say so

    async def _look_at(self, suspect: Suspect, now: datetime) -> None:
        async with self._asking:
            try:
                await self._check_full(suspect, now)
                await self._judge(suspect, now)
            except (SessionOver, PilotwireError) as error:
                log.info("a session could not be settled now", station=suspect.identity, reason=str(error))

    async def _check_full(self, suspect: Suspect, now: datetime) -> None:
        case = suspect.case
        if suspect.full or suspect.session_id in self._full or not case.connected:
            return
        connector = None
        if case.status is not None and case.status_at is not None:
            connector = (case.status, case.status_at)
        silent_s = (now - case.last_received_at).total_seconds()
        full = find_full(case.facts, self._rules, silent_s, connector)
        if full is not None:
            self._full[suspect.session_id] = full.since
            subject = (
                suspect.tenant_id, suspect.station_id, suspect.identity, suspect.session_id, suspect.evse_no,
            )  # fmt: skip
            await self._keep_full(subject, full)

    async def _judge(self, suspect: Suspect, now: datetime) -> None:
        match judge_session(suspect.case, self._rules, now):
            case Ask(cause=cause):
                said = await self._ask(suspect, cause)
                if said is not None:
                    async with self._means.db.service.acquire() as connection:
                        await rows.keep_answer(connection, suspect.session_id, said, now)
            case Report(cause=cause):
                await self._report(suspect, cause, now)
            case Settle() as settle:
                await self._settle(suspect, settle, now)
            case None:
                pass

    async def _settle(self, suspect: Suspect, settle: Settle, now: datetime) -> None:
        if suspect.case.reported is None:
            await self._report(suspect, settle.cause, now)
        facts = suspect.case.facts
        settling = Settling(
            facts.transaction_ref,
            settle.cause.value,
            "rule",
            at=settle.at,
            meter_end_wh=settle.meter_end_wh,
            unless_newer_than=facts.last_at,
        )
        with contextlib.suppress(SessionOver):  # the station has spoken meanwhile: looked at again next time
            await self._session_desk.settle(suspect.station_id, settling)

    async def _report(self, suspect: Suspect, cause: Cause, now: datetime) -> None:
        facts = suspect.case.facts
        over_long = cause is Cause.OVER_LONG
        detail: dict[str, Any] = (
            {"started_at": facts.started_at or facts.first_at} if over_long else {"cause": cause.value}
        )
        async with self._means.db.service.acquire() as connection, connection.transaction():
            await rows.keep_report(connection, suspect.session_id, cause)
            kind = "over_long" if over_long else "stop_missing"
            await append_note(connection, suspect.session_id, kind, now, detail)
        event = SessionOverlong if over_long else StopMissing
        self._means.bus.publish(
            event(
                suspect.tenant_id, suspect.station_id, suspect.identity, suspect.session_id, suspect.evse_no, now,
                detail,
            )
        )  # fmt: skip

    async def _ask(self, suspect: Suspect, cause: Cause) -> Said | None:
        """Ask a station whether a session goes on; None when it could not be asked."""
        if self._means.desk.readiness(suspect.station_id) is not Readiness.READY:
            return None
        if suspect.ocpp_version != "1.6":
            question = GetTransactionStatus(transaction_id=suspect.case.facts.transaction_ref)
            reply = await self._send(suspect.station_id, question)
            if reply is not None and isinstance(reply.result.get("ongoing"), bool):
                if reply.result["ongoing"]:
                    return Said.ONGOING
                return Said.QUEUED if reply.result.get("messages_in_queue") else Said.OVER
        if cause is not Cause.CONNECTOR_FREE:
            await self._send(suspect.station_id, Trigger(message="meter_values", evse_id=suspect.evse_no))
        if suspect.evse_no is not None:
            connector_no = suspect.case.facts.connector_no or 1
            status = Trigger(
                message="status_notification", evse_id=suspect.evse_no, connector_id=connector_no
            )
            await self._send(suspect.station_id, status)
        return Said.NOTHING

    async def _send(self, station_id: int, command: Command) -> Reply | None:
        with contextlib.suppress(PilotwireError):
            return await self._means.desk.send(station_id, Order(1, command, self._means.clock()))
        return None

    # What commands tell

    def _command_changed(self, notice: CommandChanged) -> None:
        event: type[StartMissing | StopMissing]
        if notice.outcome == "no_session":
            event, cause = StartMissing, "start_accepted"
        elif notice.outcome == "not_ended":
            event, cause = StopMissing, "stop_accepted"
        else:
            return
        self._spawn(self._tell_of_command(notice, event, cause))

    async def _tell_of_command(
        self, notice: CommandChanged, event: type[StartMissing | StopMissing], cause: str
    ) -> None:
        async with self._means.db.service.acquire() as connection:
            given = await commands.find_given(connection, notice.number)
        if given is None:
            return
        station_id, command = given
        evse_no = getattr(command, "evse_id", None)
        now = self._means.clock()
        detail = {"cause": cause, "task_id": notice.task_id}
        self._means.bus.publish(
            event(notice.tenant_id, station_id, notice.identity, None, evse_no, now, detail)
        )
        if evse_no is not None and self._means.desk.readiness(station_id) is Readiness.READY:
            await self._send(station_id, Trigger(message="meter_values", evse_id=evse_no))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("watching over sessions failed", error=repr(error), exc_info=error)
