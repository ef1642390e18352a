"""Tells the batteries of all sites what they are to do: a task for each, started again after a pause when it fails."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from pilotwire.bus import LocalBus
from pilotwire.core.clock import Clock
from pilotwire.core.errors import PilotwireError
from pilotwire.db.engine import Database
from pilotwire.db.retry import retry_while_away
from pilotwire.db.sealing import Seal
from pilotwire.domain.energy.battery_controls import (
    BatteryControl,
    BatteryDesk,
    ControlFailed,
    Rating,
    read_control,
)
from pilotwire.domain.energy.events import EnergyMeasured
from pilotwire.domain.energy.outside_repository import ControlRow, keep_told, list_controls
from pilotwire.domain.energy.set_points import Why
from pilotwire.domain.energy.usecases.manage_batteries import SEAL_PURPOSE
from pilotwire.jobs.energy.batteries import BatteryOrder, choose
from pilotwire.jobs.energy.site import SiteLoop

__all__ = ["BatterySteerer"]

log = structlog.get_logger(__name__)

_LOOK_S = 2.0
_PAUSE_S = 5.0
_NOTE_S = 15.0
_STILL_W, _STILL_SHARE = 50.0, 0.01


@dataclass
class _Steered:
    """A battery that is told what to do."""

    row: ControlRow
    control: BatteryControl
    order: BatteryOrder
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    noted_at: datetime | None = None


class BatterySteerer:
    """Steers every battery that has a control; what is wrong with one is kept beside it and holds up no other."""

    def __init__(
        self,
        database: Database,
        bus: LocalBus,
        clock: Clock,
        desk: BatteryDesk,
        seal: Seal,
        sites: Mapping[UUID, SiteLoop],
    ) -> None:
        self._database = database
        self._clock = clock
        self._desk = desk
        self._seal = seal
        self._sites = sites
        self._steered: dict[UUID, _Steered] = {}
        bus.subscribe(EnergyMeasured, self._measured)

    async def run(self) -> None:
        """Work until cancelled; then every battery is set free."""
        try:
            while True:
                try:
                    await retry_while_away(self._look, lambda: True)
                except Exception:
                    log.exception("the batteries could not be looked at; next try soon")
                await asyncio.sleep(_LOOK_S)
        finally:
            await self._stop(list(self._steered))

    async def _look(self) -> None:
        """Start what is new, stop what is gone. A control that was changed has another id."""
        async with self._database.service.acquire() as connection:
            wanted = {row.id: row for row in await list_controls(connection)}
        await self._stop([each for each in self._steered if each not in wanted])
        for control_id in wanted.keys() - self._steered.keys():
            row = wanted[control_id]
            control = read_control(row.control)
            steered = _Steered(row, control, BatteryOrder(control.silent_after_s))
            self._steered[control_id] = steered
            steered.task = asyncio.create_task(self._follow(steered), name="battery")
        for steered in self._steered.values():
            self._attach(steered)
            self._choose(steered)

    async def _stop(self, gone: list[UUID]) -> None:
        stopped = [self._steered.pop(each) for each in gone]
        for steered in stopped:
            site = self._sites.get(steered.row.site_id)
            if site is not None and site.orders.get(steered.row.battery) is steered.order:
                del site.orders[steered.row.battery]
            if steered.task is not None:
                steered.task.cancel()
        await asyncio.gather(*(each.task for each in stopped if each.task), return_exceptions=True)

    def _attach(self, steered: _Steered) -> None:
        """Let the loops of the site see what its battery is told; a site that was loaded anew does not know yet."""
        site = self._sites.get(steered.row.site_id)
        if site is not None:
            site.orders[steered.row.battery] = steered.order

    def _measured(self, notice: EnergyMeasured) -> None:
        """The loops of a site have turned: choose anew what its batteries do."""
        for steered in self._steered.values():
            if steered.row.site_id == notice.site_id:
                self._choose(steered)

    def _choose(self, steered: _Steered) -> None:
        site, order = self._sites.get(steered.row.site_id), steered.order
        batteries = () if site is None else site.tree.batteries
        battery = next((each for each in batteries if each.id == steered.row.battery), None)
        target_w, why = None, Why.STALE
        if site is not None and battery is not None:
            chosen = choose(site, battery, order, self._clock().timestamp())
            target_w, why = chosen.power_w, chosen.why
            still_w = max(_STILL_W, _STILL_SHARE * max(battery.max_charge_w, battery.max_discharge_w))
            before = order.target_w
            near = target_w is not None and before is not None and abs(target_w - before) < still_w
            if near and target_w and before and abs(target_w) >= abs(before):
                target_w = before
        order.why = why
        if target_w != order.target_w:
            order.target_w = target_w
            steered.changed.set()

    async def _follow(self, steered: _Steered) -> None:
        async def following() -> float | None:
            if steered.order.told_w is not None or steered.order.target_w is None:
                # Nothing new: what it was told is said again, before it falls back by itself.
                with suppress(TimeoutError):
                    await asyncio.wait_for(steered.changed.wait(), steered.control.interval_s)
            steered.changed.clear()
            return steered.order.target_w

        def told(power_w: float | None) -> None:
            now = self._clock()
            steered.order.taken(power_w, now.timestamp())
            if steered.noted_at is None or (now - steered.noted_at).total_seconds() >= _NOTE_S:
                steered.noted_at = now
                notes.add(task := asyncio.create_task(self._note(steered, now, "")))
                task.add_done_callback(notes.discard)

        notes: set[asyncio.Task[None]] = set()
        while True:
            try:
                sealed = steered.row.password
                password = "" if sealed is None else self._seal.open(sealed, SEAL_PURPOSE).decode()
                await self._desk.follow(
                    steered.control, await self._rating(steered), password, following, told
                )
                problem = "the connection ended"
            except (ControlFailed, PilotwireError) as error:
                problem = str(error)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                problem = f"{type(error).__name__}: {error}"
            except Exception as error:
                log.exception("a battery could not be told", site=str(steered.row.site_id))
                problem = f"{type(error).__name__}: {error}"
            steered.order.error, steered.noted_at = problem[:500], None
            await self._note(steered, None, problem[:500])
            await asyncio.sleep(_PAUSE_S)

    async def _rating(self, steered: _Steered) -> Rating:
        """Give a battery's limits; wait until the loops of its site are there."""
        while True:
            site = self._sites.get(steered.row.site_id)
            for battery in () if site is None else site.tree.batteries:
                if battery.id == steered.row.battery:
                    return Rating(battery.max_charge_w, battery.max_discharge_w)
            await asyncio.sleep(_LOOK_S)

    async def _note(self, steered: _Steered, told_at: datetime | None, problem: str) -> None:
        async def keep() -> None:
            async with self._database.service.acquire() as connection:
                await keep_told(connection, steered.row.id, told_at, problem)

        await retry_while_away(keep, lambda: True)
