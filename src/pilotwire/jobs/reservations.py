"""Carries reservations out: tells stations in time, sees who comes, and gives up when nobody does."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any

import structlog

from pilotwire.core.errors import PilotwireError
from pilotwire.db.retry import retry_while_away
from pilotwire.domain.access.lookup import find_token
from pilotwire.domain.access.model import fold_uid
from pilotwire.domain.identity.model import Principal, system_principal
from pilotwire.domain.operations import repository as commands
from pilotwire.domain.operations.commands import Reserve
from pilotwire.domain.operations.events import CommandChanged
from pilotwire.domain.operations.usecases.give_commands import Means, Plan, give_command
from pilotwire.domain.operations.usecases.manage_tasks import cancel_task
from pilotwire.domain.reservations import repository as rows
from pilotwire.domain.reservations.conflicts import Window, free_places
from pilotwire.domain.reservations.events import ReservationChanged
from pilotwire.domain.reservations.model import Policy, Reservation, ReservationState
from pilotwire.domain.reservations.repository import Candidate
from pilotwire.domain.reservations.steer import GiveUp, Hold, Keep, Place, Wait, steer
from pilotwire.domain.reservations.usecases.manage_reservations import tell_station
from pilotwire.domain.sessions.records import SessionKept
from pilotwire.domain.stations.messages import ReservationTold
from pilotwire.domain.stations.records import ReportKept

__all__ = ["ReservationKeeper"]

log = structlog.get_logger(__name__)

_LOOK_S = 30.0


class ReservationKeeper:
    """Follows every open reservation; the rows are the truth, so that a restart changes nothing."""

    def __init__(self, means: Means, policy: Policy) -> None:
        self._means = means
        self._policy = policy
        self._open: dict[int, Reservation] = {}
        self._due: set[int] = set()
        self._told: dict[int, str] = {}
        self._read_all = True
        self._look_at: datetime | None = None
        self._wake = asyncio.Event()
        means.bus.subscribe(ReservationChanged, lambda notice: self._touch(notice.id))
        means.bus.subscribe(SessionKept, self._session)
        means.bus.subscribe(CommandChanged, self._command_changed)
        means.bus.subscribe(ReportKept, self._report)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await retry_while_away(self._pass, lambda: True)
            except Exception:
                log.exception("reservations could not be looked at; next try soon")
                await asyncio.sleep(1)
            wait_s = _LOOK_S
            if self._look_at is not None:
                wait_s = min(wait_s, max(0.0, (self._look_at - self._means.clock()).total_seconds()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    # What others say

    def _touch(self, number: int) -> None:
        self._due.add(number)
        self._wake.set()

    def _session(self, notice: SessionKept) -> None:
        if not self._open or not (notice.new or notice.more or notice.change == "started"):
            return
        for each in self._open.values():
            if each.station_id == notice.station_id:
                self._touch(each.id)

    def _command_changed(self, notice: CommandChanged) -> None:
        if notice.command == "reserve":
            for each in self._open.values():
                if each.task_id == notice.task_id:
                    self._touch(each.id)

    def _report(self, notice: ReportKept) -> None:
        told = notice.meaning
        if isinstance(told, ReservationTold):
            reserved = self._open.get(told.reservation_id)
            if reserved is not None and reserved.station_id == notice.station_id:
                self._told[told.reservation_id] = told.status
                self._touch(told.reservation_id)

    # What is to be done

    async def _pass(self) -> None:
        self._wake.clear()
        now = self._means.clock()
        due, self._due = self._due, set()
        if self._look_at is None or now >= self._look_at:
            due |= self._open.keys()
        async with self._means.db.service.acquire() as connection:
            found = await rows.list_open(connection, None if self._read_all else list(due))
        if self._read_all:
            due = {each.id for each in found}
        self._read_all = False
        for number in due:
            self._open.pop(number, None)
        moments = [now + timedelta(seconds=_LOOK_S)]
        for reserved in found:
            self._open[reserved.id] = reserved
            try:
                moment = await self._steer(reserved, now)
            except PilotwireError as error:
                log.warning("a reservation could not be followed", reservation=reserved.id, error=str(error))
                moment = None
            if moment is not None:
                moments.append(moment)
        if self._look_at is not None and self._look_at > now:
            moments.append(self._look_at)
        self._look_at = min(moments)

    async def _steer(self, reserved: Reservation, now: datetime) -> datetime | None:
        if await self._used(reserved, now):
            return None
        told = self._told.pop(reserved.id, None)
        if told is not None and reserved.state is ReservationState.PLACED:
            again_at = None if told == "expired" else now + timedelta(seconds=self._policy.retry_s)
            await self._hold(reserved, Hold(f"the station gave it up: {told}", again_at))
            return again_at
        command = None
        if reserved.task_id is not None:
            async with self._means.db.service.acquire() as connection:
                command = await commands.find_state(connection, reserved.task_id)
        match steer(reserved, command, now, self._policy):
            case Wait(until=until):
                return until
            case Place():
                await self._place(reserved)
            case Keep():
                await self._step(
                    reserved, ReservationState.PLACED, placed_at=now, next_at=reserved.no_show_at, detail=""
                )
            case Hold() as hold:
                await self._hold(reserved, hold)
                return hold.again_at
            case GiveUp(tell_station=tell):
                await self._give_up(reserved, now, tell=tell)
            case None:
                pass
        return None

    async def _hold(self, reserved: Reservation, hold: Hold) -> None:
        await self._step(
            reserved, ReservationState.HELD, detail=hold.why, task_id=None,
            next_at=hold.again_at or reserved.no_show_at,
        )  # fmt: skip

    async def _place(self, reserved: Reservation) -> None:
        """Tell the station; a second time with an EVSE of our choice, since not all stations choose themselves."""
        principal = system_principal(reserved.tenant_id)
        uid = reserved.token_uid
        if uid is None:
            async with self._means.db.service.acquire() as connection:
                uid = await rows.pick_token(connection, reserved.tenant_id, str(reserved.group_id))
        retry_at = self._means.clock() + timedelta(seconds=self._policy.retry_s)
        if uid is None:
            await self._hold(reserved, Hold("no token of the group may charge", retry_at))
            return
        evse_no = reserved.evse_no
        typed = reserved.connector_type if reserved.ocpp_version != "1.6" else None
        if evse_no is None and (reserved.attempts or typed != reserved.connector_type):
            evse_no = await self._choose(principal, reserved)
        command = Reserve(
            token_uid=uid,
            until=reserved.no_show_at,
            reservation_id=reserved.id,
            evse_id=evse_no,
            connector_type=None if evse_no is not None else typed,
        )
        left_s = max(1, int((reserved.no_show_at - self._means.clock()).total_seconds()))
        try:
            task_id = await give_command(
                self._means, principal, reserved.identity, command,
                Plan(expires_in_s=left_s, note=f"reservation {reserved.id}"),
            )  # fmt: skip
        except PilotwireError as error:
            await self._hold(reserved, Hold(str(error), None))
            return
        await self._step(
            reserved, ReservationState.PLACING, task_id=task_id, attempts=reserved.attempts + 1,
            placed_evse_no=evse_no, next_at=reserved.no_show_at, detail="",
        )  # fmt: skip

    async def _choose(self, principal: Principal, reserved: Reservation) -> int | None:
        wanted = Window(reserved.from_at, reserved.until_at, None, reserved.connector_type)
        async with self._means.db.tenant(principal.scope) as connection:
            places = await rows.list_places(connection, reserved.station_id)
            others = await rows.list_windows(
                connection, reserved.station_id, reserved.from_at, reserved.until_at, but=reserved.id
            )
        fitting = free_places({evse_no: types for evse_no, (types, _, _) in places.items()}, others, wanted)
        free = [evse_no for evse_no in fitting if places[evse_no][1] and not places[evse_no][2]]
        return next(iter(free or fitting), None)

    async def _used(self, reserved: Reservation, now: datetime) -> bool:
        """See whether the driver has come."""
        since = reserved.from_at - timedelta(seconds=self._policy.lead_s)
        if now < since:
            return False
        async with self._means.db.service.acquire() as connection:
            for candidate in await rows.list_candidates(connection, reserved, since):
                if not await self._is_meant(connection, reserved, candidate):
                    continue
                state, session = ReservationState.USED, candidate.id
                await self._step(reserved, state, session_id=session, ended_at=now, detail="")
                await self._call_back(reserved)
                return True
        return False

    async def _is_meant(self, connection: Any, reserved: Reservation, candidate: Candidate) -> bool:
        if candidate.reservation_id is not None:
            return candidate.reservation_id == reserved.id
        place = reserved.placed_evse_no or reserved.evse_no
        if candidate.token_uid is None or place not in (None, candidate.evse_no):
            return False
        if reserved.token_uid is not None:
            return fold_uid(candidate.token_uid) == fold_uid(reserved.token_uid)
        token = await find_token(connection, reserved.tenant_id, candidate.token_uid)
        return token is not None and token.group_id == reserved.group_id

    async def _give_up(self, reserved: Reservation, now: datetime, *, tell: bool) -> None:
        why = (
            "nobody came"
            if reserved.state is ReservationState.PLACED
            else f"nobody came; {reserved.detail}".rstrip("; ")
        )
        if not await self._step(reserved, ReservationState.NO_SHOW, ended_at=now, detail=why):
            return
        await self._call_back(reserved)
        if tell:
            await tell_station(self._means, system_principal(reserved.tenant_id), reserved)

    async def _call_back(self, reserved: Reservation) -> None:
        """Cancel the command that waits for a station which is away."""
        if reserved.task_id is not None:
            with contextlib.suppress(PilotwireError):
                principal = system_principal(reserved.tenant_id)
                await cancel_task(self._means.db, self._means.bus, principal, reserved.task_id)

    async def _step(self, reserved: Reservation, state: ReservationState, **values: Any) -> bool:
        async with self._means.db.service.acquire() as connection:
            done = await rows.step_on(connection, reserved, state, **values)
        if done:
            detail = str(values.get("detail", reserved.detail))
            self._means.bus.publish(
                ReservationChanged(
                    reserved.tenant_id, reserved.id, reserved.station_id, reserved.identity,
                    values.get("placed_evse_no") or reserved.placed_evse_no or reserved.evse_no, state.value, detail,
                    reserved.from_at, reserved.until_at, values.get("session_id"), self._means.clock(),
                )
            )  # fmt: skip
        else:
            self._touch(reserved.id)
        return done
