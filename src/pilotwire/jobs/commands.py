"""Carries out commands: in the order of each station, within the limits of each task, none of them twice.

The rows are the truth: a command is marked as sent before it is. What this process had sent and not heard of when it
died is sent again only when that is harmless (`REPEATABLE`); otherwise it ends as `unknown`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid
from pilotwire.core.texts import Text, say
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.configuration.events import DeviceModelRead
from pilotwire.domain.operations import repository as rows
from pilotwire.domain.operations.commands import Reset
from pilotwire.domain.operations.compose import compose_order, number_of
from pilotwire.domain.operations.events import StationReady, TaskQueued, TaskResumed
from pilotwire.domain.operations.files import address_file, missed_notices
from pilotwire.domain.operations.followup import UNANSWERED, UNANSWERED_S, Step, end_of_wait
from pilotwire.domain.operations.model import CommandDesk, CommandState, Order, Readiness, Reply
from pilotwire.domain.operations.repository import Following, Head
from pilotwire.domain.operations.waves import open_waves, recount_waves
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.ports import ConnectionLost, NoAnswer, NotConnected, StationRemoved
from pilotwire.domain.stations.records import ReportKept, StationBootKept, StationProgressKept
from pilotwire.domain.transfers.addresses import FileAddresses
from pilotwire.domain.transfers.model import LogReceived
from pilotwire.jobs.holds import Holds
from pilotwire.jobs.telling import Teller
from pilotwire.jobs.watches import Watch, Watches

__all__ = ["CommandRunner"]

log = structlog.get_logger(__name__)

_MOST_ATTEMPTS = 3
_LOOK_S = 30.0
_OVER_AT_ONCE = frozenset({"scheduled", "no_profiles"})
_OUR_FAULT = say("our_fault", "a fault of this server; it has been logged")


class CommandRunner:
    """Sends what waits as soon as its station takes it, and follows it to its end."""

    def __init__(
        self, database: Database, bus: LocalBus, desk: CommandDesk, clock: Clock, addresses: FileAddresses
    ) -> None:
        self._database = database
        self._desk = desk
        self._clock = clock
        self._addresses = addresses
        self._due: set[int] = set()
        self._lines: dict[UUID, deque[Head]] = {}
        self._lined: set[int] = set()
        self._busy: set[int] = set()
        self._running: Counter[UUID] = Counter()
        self._watches = Watches(lambda following, step: self._spawn(self._step(following, step)))
        self._teller = Teller(bus, self._look_before)
        self._wake = asyncio.Event()
        self._look_at: datetime | None = None
        self._looked_at = clock()
        self._tasks: set[asyncio.Task[None]] = set()
        bus.subscribe(TaskQueued, self._queued)
        self._holds = Holds(database, lambda station_id: self._spawn(self._released(station_id)))
        bus.subscribe(SessionKept, self._holds.session_kept)
        bus.subscribe(StationReady, lambda notice: self._add((notice.station_id,)))
        bus.subscribe(StationRemoved, lambda _: self._spawn(self._settle()))
        bus.subscribe(TaskResumed, lambda _: self._spawn(self._settle()))
        notices = (
            SessionKept,
            StationBootKept,
            StationProgressKept,
            ReportKept,
            LogReceived,
            DeviceModelRead,
        )
        for kind in notices:
            bus.subscribe(kind, self._watches.heard)

    async def run(self) -> None:
        """Work until cancelled; commands under way are left as sent."""
        try:
            while True:
                await self._pass_safely()
                wait_s = _LOOK_S
                if self._look_at is not None:
                    wait_s = min(wait_s, max(0.0, (self._look_at - self._clock()).total_seconds()))
                try:
                    await asyncio.wait_for(self._wake.wait(), wait_s)
                except TimeoutError:
                    continue
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # What others say

    def _queued(self, notice: TaskQueued) -> None:
        self._look_at = self._clock()
        self._add(notice.station_ids)

    def _add(self, station_ids: tuple[int, ...]) -> None:
        self._due.update(station_ids)
        self._wake.set()

    # What is to be done

    async def recover(self) -> None:
        """Take up what an earlier process left; to be done before stations come back."""
        async with self._database.service.acquire() as connection:
            for command_id, command in await rows.list_sent(connection):
                if command.REPEATABLE and await rows.release(connection, command_id):
                    continue
                if command.TOLD_LATER:
                    until = self._clock() + timedelta(seconds=UNANSWERED_S)
                    await rows.follow(
                        connection, command_id, outcome=UNANSWERED, result={}, epoch=0, until=until, now=self._clock()
                    )  # fmt: skip
                    continue
                self._teller.command(
                    await rows.finish(
                        connection,
                        command_id,
                        CommandState.UNKNOWN,
                        "interrupted",
                        "the server stopped between sending and the answer; look at the station, then try again",
                    )
                )
            for following in await rows.list_following(connection):
                self._watches.take_up(following)
                self._running[following.task_id] += 1
                for notice in await missed_notices(connection, following):
                    self._watches.heard(notice)
            for changed in await rows.settle_tasks(connection):
                self._teller.task(changed)
        self._look_at = self._clock()

    async def _settle(self) -> None:
        async with self._database.service.acquire() as connection:
            await recount_waves(connection)
            self._look_before(self._clock())
            for changed in await rows.settle_tasks(connection):
                self._teller.task(changed)

    async def _pass_safely(self) -> None:
        try:
            await retry_while_away(self._pass, lambda: True)
        except Exception:
            log.exception("commands could not be looked at; next try soon")
            await asyncio.sleep(1)

    async def _pass(self) -> None:
        self._wake.clear()
        now = self._clock()
        if self._look_at is None or now >= self._look_at:
            await self._look(now)
        wanted = [
            station_id
            for station_id in self._due
            if station_id not in self._busy
            and station_id not in self._lined
            and self._desk.readiness(station_id) is Readiness.READY
        ]
        self._due.clear()  # who is busy comes again when it is done, who is away when it is ready
        if wanted:
            try:
                async with self._database.service.acquire() as connection:
                    heads = await rows.list_heads(connection, wanted, now)
            except BaseException:
                self._due.update(wanted)
                raise
            for head in heads:
                self._lines.setdefault(head.task_id, deque()).append(head)
                self._lined.add(head.station_id)
        self._start()

    def _start(self) -> None:
        for task_id, line in list(self._lines.items()):
            while line and self._running[task_id] < line[0].concurrency:
                head = line.popleft()
                self._lined.discard(head.station_id)
                self._running[task_id] += 1
                self._busy.add(head.station_id)
                self._spawn(self._carry_out(head))
            if not line:
                del self._lines[task_id]

    async def _look(self, now: datetime) -> None:
        """End what has expired or waited in vain, and find what may be sent now."""
        async with self._database.service.acquire() as connection:
            for command_id in await rows.expire(connection, now):
                why = say("expired", "the station did not take it before it expired")
                self._teller.command(
                    await rows.finish(connection, command_id, CommandState.EXPIRED, "expired", why)
                )
            for command_id in await rows.overdue(connection, now):
                for following in await rows.list_following(connection, command_id):
                    if not self._watches.forget(following.station_id, command_id):
                        continue  # its end has been told this very moment
                    state, outcome, why = end_of_wait(following)
                    await self._end(connection, following, state, outcome, why)
            self._due.update(await open_waves(connection, now))
            self._due.update(await rows.list_ripe(connection, self._looked_at, now))
            self._looked_at = now
            self._look_at = await rows.next_moment(connection, now)
        latest = now + timedelta(seconds=_LOOK_S)
        self._look_at = latest if self._look_at is None else min(self._look_at, latest)

    async def _carry_out(self, head: Head) -> None:
        """Send one command and keep what came of it."""
        holds_slot = False
        try:
            if self._desk.readiness(head.station_id) is Readiness.READY:
                holds_slot = await self._send(head)
        finally:
            self._busy.discard(head.station_id)
            self._due.add(head.station_id)
            if not holds_slot:
                self._free(head.task_id)
            self._wake.set()

    async def _send(self, head: Head) -> bool:
        """Send a command; True when its end is still to come."""
        now = self._clock()
        if (until := await self._holds.held_until(head, now)) is not None:
            self._look_before(until)
            return False
        order = await self._claimed(head, now)
        if order is None:
            return False
        watch = self._watches.begin(head, now, order.about) if head.command.follow_s else None
        reply = await self._reply(head, order)
        if reply is None:
            self._watches.forget(head.station_id, head.id)
            return False
        answered, kept = reply, [False]

        async def keep() -> None:
            kept[0] = await self._keep(head, answered, watch)

        await retry_while_away(keep, lambda: True)
        return kept[0]

    async def _released(self, station_id: int) -> None:
        await self._holds.release(station_id)
        self._add((station_id,))

    def _look_before(self, moment: datetime) -> None:
        if self._look_at is None or moment < self._look_at:
            self._look_at = moment
            self._wake.set()

    async def _claimed(self, head: Head, now: datetime) -> Order | None:
        """Mark a command as sent; None when it must not go out."""
        async with self._database.service.acquire() as connection:
            try:
                number = number_of(head.id)
                order = await compose_order(
                    connection, head.tenant_id, number, head.command, now, head.station_id
                )
                place = (head.tenant_id, head.station_id, head.id)
                ready = await address_file(connection, order, place, self._addresses, now)
            except Invalid as error:
                ready = Reply(CommandState.REJECTED, "not_possible", error.said)
            if isinstance(ready, Reply):
                self._teller.command(
                    await rows.finish(
                        connection, head.id, ready.state, ready.outcome, ready.detail, result=ready.result
                    )
                )
                return None
            return ready if await rows.claim(connection, head.id, now, ready.about) else None

    async def _reply(self, head: Head, order: Order) -> Reply | None:
        """Send, and say what came of it; None when the command waits again."""
        try:
            return await self._desk.send(head.station_id, order)
        except ConnectionLost as error:
            if isinstance(head.command, Reset):  # it rebooted before it answered
                return Reply(CommandState.DONE, "connection_lost", error.said)
            return await self._lost(head, error)
        except NotConnected:
            await self._put_back(head)
            return None
        except NoAnswer as error:
            return Reply(CommandState.TIMED_OUT, "no_answer", error.said)
        except Invalid as error:
            return Reply(CommandState.REJECTED, "not_possible", error.said)
        except Exception:
            log.exception("sending a command failed", station=head.identity, command=head.command.name)
            return Reply(CommandState.FAILED, "internal_error", _OUR_FAULT)

    async def _lost(self, head: Head, error: ConnectionLost) -> Reply | None:
        if head.command.REPEATABLE and head.attempts + 1 < _MOST_ATTEMPTS:
            await self._put_back(head)
            return None
        if head.command.TOLD_LATER:
            return Reply(CommandState.DONE, UNANSWERED, error.said)
        return Reply(CommandState.UNKNOWN, "connection_lost", error.said)

    async def _put_back(self, head: Head) -> None:
        async def work() -> None:
            async with self._database.service.acquire() as connection:
                if not await rows.release(connection, head.id):
                    self._teller.command(
                        await rows.finish(connection, head.id, CommandState.CANCELLED, "cancelled")
                    )

        await retry_while_away(work, lambda: True)

    async def _keep(self, head: Head, reply: Reply, watch: Watch | None) -> bool:
        async with self._database.service.acquire() as connection:
            at_once = reply.final or reply.outcome in _OVER_AT_ONCE
            if watch is None or at_once or reply.state is not CommandState.DONE:
                self._watches.forget(head.station_id, head.id)
                self._teller.command(
                    await rows.finish(
                        connection, head.id, reply.state, reply.outcome, reply.detail, result=reply.result,
                        epoch=reply.epoch,
                    )
                )  # fmt: skip
                return False
            now = self._clock()
            until = head.command.follow_until(now)
            if reply.outcome == UNANSWERED:
                until = now + timedelta(seconds=UNANSWERED_S)
            await rows.follow(
                connection, head.id, outcome=reply.outcome, result=reply.result, epoch=reply.epoch, until=until,
                now=now,
            )  # fmt: skip
        self._look_before(until)
        self._teller.step(watch.following, reply.outcome, str(reply.detail))
        self._watches.open(watch, reply.outcome, reply.result)
        return True

    # Following

    async def _step(self, following: Following, step: Step) -> None:
        now, until = self._clock(), None
        if step.wait_s is not None:
            until = now + timedelta(seconds=step.wait_s)
        elif following.outcome == UNANSWERED:
            until = following.command.follow_until(now)
        if until is not None:
            self._look_before(until)

        async def work() -> None:
            async with self._database.service.acquire() as connection:
                if step.state is CommandState.ACCEPTED:
                    await rows.note_progress(connection, following.id, step.outcome, step.result, until)
                else:
                    await self._end(connection, following, step.state, step.outcome, step.detail, step.result)

        await retry_while_away(work, lambda: True)
        if step.state is CommandState.ACCEPTED:
            detail = str(step.result.get("last_status", ""))
            self._teller.step(following, step.outcome, detail)

    async def _end(
        self,
        connection: Any,
        following: Following,
        state: CommandState,
        outcome: str,
        why: str | Text,
        result: dict[str, Any] | None = None,
    ) -> None:
        changed = await rows.finish(connection, following.id, state, outcome, why, result=result)
        self._free(following.task_id)
        self._wake.set()
        self._teller.command(changed)

    def _free(self, task_id: UUID) -> None:
        self._running[task_id] -= 1
        if self._running[task_id] <= 0:
            del self._running[task_id]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a command failed here", error=repr(error), exc_info=error)
