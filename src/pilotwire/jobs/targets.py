"""Stops sessions at their targets. The rows are the truth: what was begun goes on after a restart."""

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from pilotwire.core.errors import NotFound, PilotwireError
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.identity.model import system_principal
from pilotwire.domain.operations import repository as commands
from pilotwire.domain.operations.commands import StopCharging, Trigger
from pilotwire.domain.operations.errors import TaskOver
from pilotwire.domain.operations.events import CommandChanged
from pilotwire.domain.operations.model import Order, Readiness
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_command
from pilotwire.domain.operations.usecases.manage_tasks import cancel_task
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.sessions.repository import append_note
from pilotwire.domain.supervision import repository as rows
from pilotwire.domain.supervision.events import TargetChanged, TargetMissed, TargetReached
from pilotwire.domain.supervision.model import TargetState
from pilotwire.domain.supervision.repository import Watched
from pilotwire.domain.supervision.steer import AskMeter, Finish, GiveStop, Retry, Wait, steer

__all__ = ["TargetKeeper"]

log = structlog.get_logger(__name__)

_LOOK_S = 30.0
_STARTED_SINCE = timedelta(days=1)


class TargetKeeper:
    """Follows the sessions that have a target, and has them stopped there."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._watched: dict[UUID, Watched] = {}
        self._asked: dict[UUID, datetime] = {}
        self._due: set[UUID] = set()
        self._bind = True
        self._read_all = True
        self._look_at: datetime | None = None
        self._wake = asyncio.Event()
        means.bus.subscribe(SessionKept, self._heard)
        means.bus.subscribe(TargetChanged, self._changed)
        means.bus.subscribe(CommandChanged, self._command_changed)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await retry_while_away(self._pass, lambda: True)
            except Exception:
                log.exception("targets could not be looked at; next try soon")
                await asyncio.sleep(1)
            wait_s = _LOOK_S
            if self._look_at is not None:
                wait_s = min(wait_s, max(0.0, (self._look_at - self._means.clock()).total_seconds()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    # What others say

    def _heard(self, notice: SessionKept) -> None:
        facts = notice.facts
        if notice.new and facts.remote_start_id is not None:
            self._bind = True
            self._wake.set()
        watched = self._watched.get(facts.id) if self._watched else None
        if watched is not None:
            watched.facts = facts
            watched.heard_at = notice.received_at
            self._due.add(facts.id)
            self._wake.set()

    def _changed(self, notice: TargetChanged) -> None:
        if notice.session_id is not None:
            self._watched.pop(notice.session_id, None)
            self._due.add(notice.session_id)
            self._wake.set()

    def _command_changed(self, notice: CommandChanged) -> None:
        if notice.command == "start_charging":
            self._bind = True
        elif notice.command == "stop_charging":
            self._due.update(
                each.session_id for each in self._watched.values() if each.task_id == notice.task_id
            )
        else:
            return
        self._wake.set()

    # What is to be done

    async def _pass(self) -> None:
        self._wake.clear()
        now = self._means.clock()
        if self._bind:
            await self._bind_starts(now)
        due, self._due = self._due, set()
        missing = None if self._read_all else [each for each in due if each not in self._watched]
        async with self._means.db.service.acquire() as connection:
            for watched in await rows.list_targets(connection, missing) if missing is None or missing else ():
                self._watched[watched.session_id] = watched
                due.add(watched.session_id)
        self._read_all = False
        if self._look_at is None or now >= self._look_at:
            due.update(self._watched)
        moments: list[datetime] = [now + timedelta(seconds=_LOOK_S)]
        moments += await self._steer_all(due, now)
        if self._look_at is not None and self._look_at > now:
            moments.append(self._look_at)
        self._look_at = min(moments)

    async def _bind_starts(self, now: datetime) -> None:
        """Give sessions the targets that their start commands carried."""
        self._bind = False
        async with self._means.db.service.acquire() as connection:
            for session_id, target, by in await commands.list_started_with_target(
                connection, now - _STARTED_SINCE
            ):
                if await rows.add_target(connection, session_id, target, by):
                    await append_note(connection, session_id, "target", now, {"target": target, "by": by})
                    self._due.add(session_id)

    async def _steer_all(self, due: Iterable[UUID], now: datetime) -> list[datetime]:
        moments = []
        for session_id in due:
            watched = self._watched.get(session_id)
            if watched is None:
                continue
            try:
                moment = await self._steer(watched, now)
            except PilotwireError as error:
                log.warning("a target could not be followed", station=watched.identity, error=str(error))
                moment = now + timedelta(seconds=_LOOK_S)
            if moment is not None:
                moments.append(moment)
        return moments

    async def _steer(self, watched: Watched, now: datetime) -> datetime | None:
        command = None
        if watched.task_id is not None:
            async with self._means.db.service.acquire() as connection:
                command = await commands.find_state(connection, watched.task_id)
        match steer(watched, command, now):
            case Wait(until=until):
                return until
            case AskMeter():
                await self._ask(watched)
            case GiveStop(reached=reached):
                await self._stop(watched, reached, now)
            case Retry(at=at):
                await self._change(watched, next_at=at, task_id=None)
                return at
            case Finish(state=state, why=why):
                await self._finish(watched, state, why, now)
        return None

    async def _ask(self, watched: Watched) -> None:
        """Have the meter read, once for each thing heard of the session."""
        if self._asked.get(watched.session_id) == watched.heard_at:
            return
        self._asked[watched.session_id] = watched.heard_at
        if self._means.desk.readiness(watched.station_id) is not Readiness.READY:
            return
        evse_no = watched.facts.evse_no
        in_session = Trigger(message="transaction_event", evse_id=evse_no)
        # Only sessions of 1.6 are known by the content of their start.
        question = (
            in_session
            if watched.facts.start_key is None
            else Trigger(message="meter_values", evse_id=evse_no)
        )
        order = Order(1, question, self._means.clock())
        with contextlib.suppress(PilotwireError):
            await self._means.desk.send(watched.station_id, order)

    async def _stop(self, watched: Watched, reached: str, now: datetime) -> None:
        if reached:
            changes = {"target_reached": reached, "target_reached_at": now}
            if not await self._change(watched, target_state=TargetState.STOPPING.value, **changes):
                return
            watched.state = TargetState.STOPPING.value
            detail = {"reached": reached, "target": msgspec.to_builtins(watched.target)}
            await self._note(watched, "target_reached", now, detail)
            self._means.bus.publish(TargetReached(*_subject(watched, now), detail))
        command = StopCharging(transaction_id=watched.facts.transaction_ref)
        try:
            task_id = await give_command(
                self._means, system_principal(watched.tenant_id), watched.identity, command,
                Plan(note="the session's target is reached"),
            )  # fmt: skip
        except PilotwireError as error:
            await self._finish(watched, TargetState.MISSED, str(error), now)
            return
        await self._change(watched, task_id=task_id, attempts=watched.attempts + 1, next_at=None)

    async def _finish(self, watched: Watched, state: TargetState, why: str, now: datetime) -> None:
        if await self._change(watched, target_state=state.value, target_detail=why[:1000]):
            if state is TargetState.MISSED:
                await self._note(watched, "target_missed", now, {"why": why})
                self._means.bus.publish(TargetMissed(*_subject(watched, now), {"why": why}))
            elif watched.task_id is not None:
                with contextlib.suppress(NotFound, TaskOver):
                    principal = system_principal(watched.tenant_id)
                    await cancel_task(self._means.db, self._means.bus, principal, watched.task_id)
        self._watched.pop(watched.session_id, None)
        self._asked.pop(watched.session_id, None)

    async def _change(self, watched: Watched, **values: object) -> bool:
        """Change the row; when somebody else has changed it, read it again."""
        async with self._means.db.service.acquire() as connection:
            done = await rows.change_target(connection, watched, **values)
        if not done:
            self._watched.pop(watched.session_id, None)
            self._due.add(watched.session_id)
            self._wake.set()
            return False
        for name in ("task_id", "attempts", "next_at"):
            if name in values:
                setattr(watched, name, values[name])
        return True

    async def _note(self, watched: Watched, kind: str, now: datetime, detail: dict[str, object]) -> None:
        async with self._means.db.service.acquire() as connection:
            await append_note(connection, watched.session_id, kind, now, detail)


def _subject(watched: Watched, now: datetime) -> tuple[int, int, str, UUID, int | None, datetime]:
    return (
        watched.tenant_id, watched.station_id, watched.identity, watched.session_id, watched.facts.evse_no, now,
    )  # fmt: skip
