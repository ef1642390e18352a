"""Carries out commands: in the order of each station, within the limits of each task, none of them twice.

The rows are the truth: a command is marked as sent before it is. What this process had sent and not heard of when it
died is sent again only when that is harmless (`REPEATABLE`); otherwise it ends as `unknown`.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.operations import repository as rows
from pilotwire.domain.operations.commands import Reset
from pilotwire.domain.operations.compose import compose_order, number_of
from pilotwire.domain.operations.events import CommandChanged, StationReady, TaskChanged, TaskQueued
from pilotwire.domain.operations.followup import Step, end_of_wait, step_of
from pilotwire.domain.operations.model import CommandDesk, CommandState, Order, Readiness, Reply
from pilotwire.domain.operations.repository import Following, Head
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.ports import ConnectionLost, NoAnswer, NotConnected, StationRemoved
from pilotwire.domain.stations.records import StationBootKept, StationProgressKept

__all__ = ["CommandRunner"]

log = structlog.get_logger(__name__)

_MOST_ATTEMPTS = 3
_LOOK_S = 30.0
_TELL_S = 1.0


class _Watch:
    """A command whose end later messages tell; what they say before its answer is kept is put by."""

    __slots__ = ("early", "following", "open")

    def __init__(self, following: Following, *, is_open: bool) -> None:
        self.following = following
        self.open = is_open
        self.early: list[Any] = []


class CommandRunner:
    """Sends what waits as soon as its station takes it, and follows it to its end."""

    def __init__(self, database: Database, bus: LocalBus, desk: CommandDesk, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._desk = desk
        self._clock = clock
        self._due: set[int] = set()
        self._lines: dict[UUID, deque[Head]] = {}
        self._lined: set[int] = set()
        self._busy: set[int] = set()
        self._running: Counter[UUID] = Counter()
        self._watches: defaultdict[int, dict[int, _Watch]] = defaultdict(dict)
        self._told: dict[UUID, float] = {}
        self._wake = asyncio.Event()
        self._look_at: datetime | None = None
        self._looked_at = clock()
        self._tasks: set[asyncio.Task[None]] = set()
        bus.subscribe(TaskQueued, self._queued)
        bus.subscribe(StationReady, lambda notice: self._add((notice.station_id,)))
        bus.subscribe(StationRemoved, lambda _: self._spawn(self._settle()))
        for kind in (SessionKept, StationBootKept, StationProgressKept):
            bus.subscribe(kind, self._heard)

    async def run(self) -> None:
        """Work until cancelled; commands under way are left as sent."""
        try:
            await retry_while_away(self._recover, lambda: True)
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

    def _heard(self, notice: Any) -> None:
        watches = self._watches.get(notice.station_id)
        if not watches:
            return
        for watch in list(watches.values()):
            if not watch.open:
                watch.early.append(notice)
            elif (step := step_of(watch.following, notice)) is not None:
                if step.state is not CommandState.ACCEPTED:
                    del watches[watch.following.id]
                self._spawn(self._step(watch.following, step))
                return

    # What is to be done

    async def _recover(self) -> None:
        async with self._database.service.acquire() as connection:
            for command_id, command in await rows.list_sent(connection):
                if command.REPEATABLE and await rows.release(connection, command_id):
                    continue
                self._tell(
                    await rows.finish(
                        connection,
                        command_id,
                        CommandState.UNKNOWN,
                        "interrupted",
                        "the server stopped between sending and the answer; look at the station, then try again",
                    )
                )
            for following in await rows.list_following(connection):
                self._watches[following.station_id][following.id] = _Watch(following, is_open=True)
                self._running[following.task_id] += 1
            for changed in await rows.settle_tasks(connection):
                self._tell_task(changed)
        self._look_at = self._clock()

    async def _settle(self) -> None:
        async with self._database.service.acquire() as connection:
            for changed in await rows.settle_tasks(connection):
                self._tell_task(changed)

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
                why = "the station did not take it before it expired"
                self._tell(await rows.finish(connection, command_id, CommandState.EXPIRED, "expired", why))
            for command_id in await rows.overdue(connection, now):
                for following in await rows.list_following(connection, command_id):
                    if self._watches[following.station_id].pop(command_id, None) is None:
                        continue  # its end has been told this very moment
                    state, outcome, why = end_of_wait(following)
                    await self._end(connection, following, state, outcome, why)
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
        order = await self._claimed(head, now)
        if order is None:
            return False
        watch = self._watch(head, now) if head.command.follow_s else None
        reply = await self._reply(head, order)
        if reply is None:
            self._forget(head)
            return False
        answered, kept = reply, [False]

        async def keep() -> None:
            kept[0] = await self._keep(head, answered, watch)

        await retry_while_away(keep, lambda: True)
        return kept[0]

    async def _claimed(self, head: Head, now: datetime) -> Order | None:
        """Mark a command as sent; None when it must not go out."""
        async with self._database.service.acquire() as connection:
            try:
                order = await compose_order(connection, head.tenant_id, number_of(head.id), head.command, now)
            except Invalid as error:
                state = CommandState.REJECTED
                self._tell(await rows.finish(connection, head.id, state, "not_possible", str(error)))
                return None
            return order if await rows.claim(connection, head.id, now) else None

    async def _reply(self, head: Head, order: Order) -> Reply | None:
        """Send, and say what came of it; None when the command waits again."""
        try:
            return await self._desk.send(head.station_id, order)
        except ConnectionLost as error:
            if isinstance(head.command, Reset):  # it rebooted before it answered
                return Reply(CommandState.DONE, "connection_lost", str(error))
            return await self._lost(head, error)
        except NotConnected:
            await self._put_back(head)
            return None
        except NoAnswer as error:
            return Reply(CommandState.TIMED_OUT, "no_answer", str(error))
        except Invalid as error:
            return Reply(CommandState.REJECTED, "not_possible", str(error))
        except Exception:
            log.exception("sending a command failed", station=head.identity, command=head.command.name)
            return Reply(CommandState.FAILED, "internal_error", "a fault of this server; it has been logged")

    async def _lost(self, head: Head, error: ConnectionLost) -> Reply | None:
        if head.command.REPEATABLE and head.attempts + 1 < _MOST_ATTEMPTS:
            await self._put_back(head)
            return None
        return Reply(CommandState.UNKNOWN, "connection_lost", str(error))

    async def _put_back(self, head: Head) -> None:
        async def work() -> None:
            async with self._database.service.acquire() as connection:
                if not await rows.release(connection, head.id):
                    self._tell(await rows.finish(connection, head.id, CommandState.CANCELLED, "cancelled"))

        await retry_while_away(work, lambda: True)

    async def _keep(self, head: Head, reply: Reply, watch: _Watch | None) -> bool:
        async with self._database.service.acquire() as connection:
            if watch is None or reply.state is not CommandState.DONE or reply.outcome == "scheduled":
                self._forget(head)
                self._tell(
                    await rows.finish(
                        connection, head.id, reply.state, reply.outcome, reply.detail, result=reply.result,
                        epoch=reply.epoch,
                    )
                )  # fmt: skip
                return False
            now = self._clock()
            until = now + timedelta(seconds=head.command.follow_s)
            await rows.follow(
                connection, head.id, outcome=reply.outcome, result=reply.result, epoch=reply.epoch, until=until,
                now=now,
            )  # fmt: skip
        if self._look_at is None or until < self._look_at:
            self._look_at = until
        self._bus.publish(_changed(watch.following, CommandState.ACCEPTED, reply.outcome, reply.detail))
        watch.open = True
        early, watch.early = watch.early, []
        for notice in early:
            self._heard(notice)
        return True

    # Following

    def _watch(self, head: Head, now: datetime) -> _Watch:
        until = now + timedelta(seconds=head.command.follow_s)
        following = Following(
            head.id,
            head.tenant_id,
            head.task_id,
            head.station_id,
            head.identity,
            head.command,
            now,
            until,
            {},
        )
        watch = self._watches[head.station_id][head.id] = _Watch(following, is_open=False)
        return watch

    def _forget(self, head: Head) -> None:
        self._watches[head.station_id].pop(head.id, None)
        if not self._watches[head.station_id]:
            del self._watches[head.station_id]

    async def _step(self, following: Following, step: Step) -> None:
        async def work() -> None:
            async with self._database.service.acquire() as connection:
                if step.state is CommandState.ACCEPTED:
                    await rows.note_progress(connection, following.id, step.outcome, step.result)
                else:
                    await self._end(connection, following, step.state, step.outcome, "", step.result)

        await retry_while_away(work, lambda: True)
        if step.state is CommandState.ACCEPTED:
            detail = str(step.result.get("last_status", ""))
            self._bus.publish(_changed(following, step.state, step.outcome, detail))

    async def _end(
        self,
        connection: Any,
        following: Following,
        state: CommandState,
        outcome: str,
        why: str,
        result: dict[str, Any] | None = None,
    ) -> None:
        changed = await rows.finish(connection, following.id, state, outcome, why, result=result)
        self._free(following.task_id)
        self._wake.set()
        self._tell(changed)

    def _free(self, task_id: UUID) -> None:
        self._running[task_id] -= 1
        if self._running[task_id] <= 0:
            del self._running[task_id]

    # Telling

    def _tell(self, changed: tuple[CommandChanged, TaskChanged] | None) -> None:
        if changed is not None:
            self._bus.publish(changed[0])
            self._tell_task(changed[1])

    def _tell_task(self, changed: TaskChanged) -> None:
        """Tell of a task's progress once a second, of its stops and its end at once."""
        now = asyncio.get_running_loop().time()
        if changed.state == "running":
            if now - self._told.get(changed.task_id, -_TELL_S) < _TELL_S:
                return
            self._told[changed.task_id] = now
        else:
            self._told.pop(changed.task_id, None)
        self._bus.publish(changed)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a command failed here", error=repr(error), exc_info=error)


def _changed(following: Following, state: CommandState, outcome: str, detail: str) -> CommandChanged:
    return CommandChanged(
        following.tenant_id, following.task_id, following.id, following.identity, following.command.name, state,
        outcome, detail,
    )  # fmt: skip
