"""Limits on their way to stations: what is due is sent, never more at once than stations and this process bear."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import Invalid
from pilotwire.domain.energy.drive import PACE, Drive, Pace, Way, next_step, observe, told, ways_of
from pilotwire.domain.energy.events import EnergyTrouble
from pilotwire.domain.energy.ports import ProfileDesk
from pilotwire.domain.energy.profiles import bound_command, limit_command, settable_a
from pilotwire.domain.operations.commands import Command, GetCompositeSchedule
from pilotwire.domain.operations.model import CommandState, Order, Readiness, Reply
from pilotwire.domain.stations.ports import NoAnswer, NotConnected
from pilotwire.jobs.energy.site import SiteLoop

__all__ = ["Actuator"]

log = structlog.get_logger(__name__)

_MOST_AT_ONCE = 100
_FIRST_RISE = 2
"""Orders with a lower urgency ask for less than before: the bound (0) or the limit of a session (1)."""

KeepDrives = Callable[[SiteLoop, list[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Due:
    """Something to be sent."""

    key: str
    station_id: int
    what: Literal["session", "bound"]
    value_a: float
    tail: tuple[tuple[float, float], ...]
    hold_s: float
    way: Way
    ways: int
    command: Command
    urgency: tuple[int, float]

    @property
    def falls(self) -> bool:
        """Whether it asks for less than the station may draw now."""
        return self.urgency[0] < _FIRST_RISE


class Actuator:
    """Sends limits. `keep` writes drives down, before anything is sent and after it was answered.

    Falls go first. After a return of many stations only what has changed is sent, `_MOST_AT_ONCE` at a time.
    """

    def __init__(
        self, desk: ProfileDesk, bus: LocalBus, clock: Clock, keep: KeepDrives, pace: Pace = PACE
    ) -> None:
        self._desk = desk
        self._bus = bus
        self._clock = clock
        self._keep = keep
        self._pace = pace
        self._busy: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0

    @property
    def pace(self) -> Pace:
        """How fast limits are sent and looked after."""
        return self._pace

    async def stop(self) -> None:
        """Give up what is under way; what was sent counts as unconfirmed at the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reachable(self, station_id: int | None) -> bool:
        """Tell whether a station can be told anything now."""
        return station_id is not None and self._desk.readiness(station_id) is Readiness.READY

    async def drive(self, site: SiteLoop, limits_a: dict[str, float]) -> None:
        """Send what is due at a site; answers come later."""
        now_s = self._clock().timestamp()
        hurries = site.overloaded()
        due = [
            each for key in site.given if (each := self._due(site, key, limits_a.get(key), now_s, hurries))
        ]
        due.sort(key=lambda each: each.urgency)
        chosen: dict[int, list[_Due]] = {}
        for (
            each
        ) in due:  # one call at a time to a station; all its falls one after the other, for they do not wait
            station = chosen.get(each.station_id)
            if station is None and len(self._busy) + len(chosen) < _MOST_AT_ONCE:
                chosen[each.station_id] = [each]
            elif station is not None and each.falls and station[0].falls:
                station.append(each)
        if not chosen:
            return
        told_now = [each for station in chosen.values() for each in station]
        for each in told_now:
            drive = site.drives[each.key]
            drive.last_sent_s = now_s
            if each.what == "bound":
                drive.sent_bound_a = max(each.value_a, drive.sent_bound_a or 0.0)
            else:
                drive.sent_a = max(each.value_a, drive.sent_a or 0.0)
        # On disk before it is sent: a new process must know what stations may be acting upon.
        await self._keep(site, [each.key for each in told_now])
        for station_id, orders in chosen.items():
            self._busy.add(station_id)
            self._spawn(self._send_all(site, station_id, orders))

    def watch(self, site: SiteLoop, key: str, now_s: float, *, overloaded: bool = False) -> None:
        """Compare what an EVSE draws with what it was told; `overloaded`: a fuse is measured to bear too much."""
        car, drive, station_id = site.plugged.get(key), site.drives[key], self._station(site, key)
        if car is None or car.drawn_a is None or car.drawn_at_s is None or station_id is None:
            return
        ways = self._ways(site, key, station_id)
        if not ways:
            return
        drawn_a, at_s = max(car.drawn_a), car.drawn_at_s
        found = observe(drive, drawn_a, at_s, now_s, len(ways), self._pace, overloaded=overloaded)
        if found is None:
            return
        given = site.given[key]
        if found in ("ignoring", "obeying"):
            self._bus.publish(
                EnergyTrouble(
                    site.tenant_id, site.site_id, given.station_id, given.evse_id, found, drive.detail
                )
            )
            log.warning("a station and its limit", evse=key, state=found, detail=drive.detail)
        elif found == "ask" and station_id not in self._busy:
            self._busy.add(station_id)
            self._spawn(self._ask(drive, station_id, given.evse_id))

    @staticmethod
    def _station(site: SiteLoop, key: str) -> int | None:
        return site.station_ids.get(site.given[key].station_id)

    def _ways(self, site: SiteLoop, key: str, station_id: int) -> tuple[Way, ...]:
        abilities = self._desk.abilities(station_id)
        if abilities is None:
            return ()
        alone = sum(each.station_id == site.given[key].station_id for each in site.tree.evses) == 1
        return ways_of(abilities, alone=alone, dc=site.evses[key].dc)

    def _due(
        self, site: SiteLoop, key: str, limit_a: float | None, now_s: float, hurries: bool
    ) -> _Due | None:
        station_id = self._station(site, key)
        if station_id is None or station_id in self._busy or not self.reachable(station_id):
            return None
        abilities = self._desk.abilities(station_id)
        evse, given, drive = site.evses[key], site.given[key], site.drives[key]
        ways = self._ways(site, key, station_id)
        if abilities is None or not ways or not evse.sheddable:
            return None
        bound = settable_a(evse, abilities, site.bound_a[key]) if site.bound_a[key] else 0.0
        wanted = None if limit_a is None else settable_a(evse, abilities, limit_a)
        hold_s = site.hold_s()
        what = next_step(drive, wanted, bound, now_s, self._pace, overloaded=hurries, hold_s=hold_s)
        if what is None:
            return None
        way = ways[drive.way % len(ways)]
        if what == "bound":
            command: Command = bound_command(evse, given.evse_id, abilities, drive.bound_unit, bound)
            falls = drive.bound_a is None or bound < drive.bound_a
            urgency = (0 if falls else 2, now_s)
            return _Due(key, station_id, what, bound, (), hold_s, way, len(ways), command, urgency)
        assert wanted is not None  # noqa: S101 - `next_step` has seen it
        tail = tuple(
            (at_s, min(bound, settable_a(evse, abilities, amount)))
            for at_s, amount in site.tail_of(key, now_s)
        )
        car = site.plugged[key]
        began_s = car.began_at.timestamp()
        command = limit_command(
            evse, given.evse_id, abilities, way, wanted, tail, now_s=now_s, began_s=began_s, hold_s=hold_s
        )
        falls = drive.told_a is None or wanted < drive.told_a
        urgency = (1 if falls else 3, drive.last_sent_s)
        return _Due(key, station_id, what, wanted, tail, hold_s, way, len(ways), command, urgency)

    async def _send_all(self, site: SiteLoop, station_id: int, orders: list[_Due]) -> None:
        sessions = {each.key: site.drives[each.key].session for each in orders if each.key in site.drives}
        try:
            for each in orders:
                if await self._send(site, each, sessions.get(each.key)) == "unknown":
                    break  # it is away or mute: what was not sent counts as unconfirmed, and is due again
        finally:
            self._busy.discard(station_id)

    async def _send(self, site: SiteLoop, due: _Due, session: str | None) -> str:
        """Send one order and give its outcome, nothing where it means nobody any more."""
        if self._is_gone(site, due, session):
            return ""
        outcome, detail = await self._said(due)
        if self._is_gone(site, due, session):
            return outcome
        drive = site.drives[due.key]
        told(
            drive,
            due.what,
            due.value_a,
            self._clock().timestamp(),
            outcome=outcome,
            ways=due.ways,
            tail_a=max((amount for _, amount in due.tail), default=0.0),
            hold_s=due.hold_s,
            lasting=due.way[0] != "session",
            detail=detail,
            pace=self._pace,
        )
        if outcome == "refused" and drive.rejecting:
            given = site.given[due.key]
            self._bus.publish(
                EnergyTrouble(
                    site.tenant_id, site.site_id, given.station_id, given.evse_id, "rejecting", detail
                )
            )
        await self._keep(site, [due.key])
        return outcome

    @staticmethod
    def _is_gone(site: SiteLoop, due: _Due, session: str | None) -> bool:
        """Tell whether the EVSE has left the site, or the session that was meant has ended."""
        drive = site.drives.get(due.key)
        return drive is None or (due.what == "session" and drive.session != session)

    async def _said(self, due: _Due) -> tuple[Literal["taken", "refused", "unknown"], str]:
        order = Order(1, due.command, self._clock())
        try:
            reply = await self._desk.send(due.station_id, order)
        except (NotConnected, NoAnswer) as error:
            return "unknown", error.detail
        except Invalid as error:
            return "refused", error.detail
        self.sent += 1
        if reply.state is CommandState.DONE:
            return "taken", ""
        return "refused", f"{due.way[0]}/{due.way[1]}: {reply.outcome} {reply.detail}".strip()

    async def _ask(self, drive: Drive, station_id: int, evse_no: int) -> None:
        """Ask a station what it thinks that its limit is, for people to read."""
        try:
            order = Order(1, GetCompositeSchedule(evse_id=evse_no, duration_s=600, unit="a"), self._clock())
            reply: Reply = await self._desk.send(station_id, order)
        except (NotConnected, NoAnswer, Invalid) as error:
            drive.detail += f"; it did not tell its composite schedule: {error.detail}"
            return
        finally:
            self._busy.discard(station_id)
        limits = reply.result.get("limits")
        if reply.state is CommandState.DONE and limits and limits["periods"]:
            drive.detail += (
                f"; by itself its limit is {limits['periods'][0]['limit']:g} {limits['unit'].upper()}"
            )
        else:
            drive.detail += f"; it did not tell its composite schedule: {reply.outcome}"

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("sending a limit failed", error=repr(error), exc_info=error)
